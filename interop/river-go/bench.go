package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// benchArgs say when a job was meant to be inserted, in microseconds; 0 for a job of a backlog.
type benchArgs struct {
	At int64 `json:"at"`
}

func (benchArgs) Kind() string { return "bench_job" }

// benchWorker does nothing but notice how late it is.
type benchWorker struct {
	river.WorkerDefaults[benchArgs]
	mu   sync.Mutex
	late []float64
}

func (w *benchWorker) Work(_ context.Context, job *river.Job[benchArgs]) error {
	if job.Args.At == 0 {
		return nil
	}
	late := float64(time.Now().UnixMicro()-job.Args.At) / 1000
	w.mu.Lock()
	w.late = append(w.late, late)
	w.mu.Unlock()
	return nil
}

// takeLate returns what was noticed once there are n of them.
func (w *benchWorker) takeLate(n int) []float64 {
	for {
		w.mu.Lock()
		if len(w.late) >= n {
			taken := w.late
			w.late = nil
			w.mu.Unlock()
			sort.Float64s(taken)
			return taken
		}
		w.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
}

type benchCommand struct {
	Do         string  `json:"do"`
	N          int     `json:"n"`
	PerSecond  float64 `json:"per_second"`
	Seconds    float64 `json:"seconds"`
	AtOnce     int     `json:"at_once"`
	MaxWorkers int     `json:"max_workers"`
	Tuned      bool    `json:"tuned"`
}

// bench is a client that is started, stopped and made to insert on request.
type bench struct {
	pool   *pgxpool.Pool
	schema string
	worker *benchWorker
	client *river.Client[pgx.Tx]
}

func (b *bench) start(ctx context.Context, cmd benchCommand) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, b.worker)
	config := &river.Config{
		Schema: b.schema, Workers: workers, Queues: map[string]river.QueueConfig{"bench": {MaxWorkers: cmd.MaxWorkers}},
	}
	if cmd.Tuned { // as River's own benchmark does
		config.FetchCooldown = 2 * time.Millisecond
		config.FetchPollInterval = 20 * time.Millisecond
	}
	client, err := river.NewClient(riverpgxv5.New(b.pool), config)
	if err != nil {
		return err
	}
	b.client = client
	return client.Start(ctx)
}

func (b *bench) insert(ctx context.Context, cmd benchCommand) (any, error) {
	var count, failed atomic.Int64
	var group sync.WaitGroup
	begin := time.Now()
	deadline := begin.Add(time.Duration(cmd.Seconds * float64(time.Second)))
	client, err := river.NewClient(riverpgxv5.New(b.pool), &river.Config{Schema: b.schema})
	if err != nil {
		return nil, err
	}
	for range cmd.AtOnce {
		group.Go(func() {
			for time.Now().Before(deadline) {
				if _, err := client.Insert(ctx, benchArgs{}, &river.InsertOpts{Queue: "bench"}); err != nil {
					failed.Add(1)
					return
				}
				count.Add(1)
			}
		})
	}
	group.Wait()
	if failed.Load() > 0 {
		return nil, fmt.Errorf("%d inserts failed", failed.Load())
	}
	return map[string]any{"count": count.Load(), "seconds": time.Since(begin).Seconds()}, nil
}

// pace inserts at a steady rate, whatever happens to the jobs, and waits until all have started.
func (b *bench) pace(ctx context.Context, cmd benchCommand) (any, error) {
	var group sync.WaitGroup
	var failed atomic.Int64
	begin := time.Now()
	for i := range cmd.N {
		due := begin.Add(time.Duration(float64(i) / cmd.PerSecond * float64(time.Second)))
		time.Sleep(time.Until(due))
		group.Go(func() {
			args := benchArgs{At: due.UnixMicro()}
			if _, err := b.client.Insert(ctx, args, &river.InsertOpts{Queue: "bench"}); err != nil {
				failed.Add(1)
			}
		})
	}
	group.Wait()
	if failed.Load() > 0 {
		return nil, fmt.Errorf("%d inserts failed", failed.Load())
	}
	return map[string]any{"late_ms": b.worker.takeLate(cmd.N)}, nil
}

func (b *bench) perform(ctx context.Context, cmd benchCommand) (any, error) {
	switch cmd.Do {
	case "start":
		return map[string]bool{"started": true}, b.start(ctx, cmd)
	case "stop":
		return map[string]bool{"stopped": true}, b.client.Stop(ctx)
	case "insert":
		return b.insert(ctx, cmd)
	case "pace":
		return b.pace(ctx, cmd)
	default:
		return nil, fmt.Errorf("no command %q", cmd.Do)
	}
}

func runBench(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	b := &bench{pool: pool, schema: schema, worker: &benchWorker{}}
	in := json.NewDecoder(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		var cmd benchCommand
		if in.Decode(&cmd) != nil {
			return nil
		}
		answer, err := b.perform(ctx, cmd)
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
}
