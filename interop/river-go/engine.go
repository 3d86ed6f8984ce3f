package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// engineArgs say when a job was due, in milliseconds since 1970 with fractions; 0 for a job of a backlog.
type engineArgs struct {
	At float64 `json:"at"`
}

func (engineArgs) Kind() string { return "bench_job" }

func engineNow() float64 { return float64(time.Now().UnixNano()) / 1e6 }

// tally notices how jobs fare: how late they start, and how late their result is recorded.
type tally struct {
	mu        sync.Mutex
	start     []float64
	finalised []float64
	count     int
	wanted    int
	all       chan struct{}
}

func (t *tally) reset(wanted int) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.start, t.finalised, t.count, t.wanted = []float64{}, []float64{}, 0, wanted
	t.all = make(chan struct{})
	return t.all
}

func (t *tally) started(at float64) {
	if at == 0 {
		return
	}
	late := engineNow() - at
	t.mu.Lock()
	t.start = append(t.start, late)
	t.mu.Unlock()
}

func (t *tally) ended(at float64) {
	late := engineNow() - at
	t.mu.Lock()
	defer t.mu.Unlock()
	if at > 0 {
		t.finalised = append(t.finalised, late)
	}
	t.count++
	if t.count == t.wanted {
		close(t.all)
	}
}

type engineWorker struct {
	river.WorkerDefaults[engineArgs]
	tally *tally
	sleep time.Duration
}

func (w *engineWorker) Work(_ context.Context, job *river.Job[engineArgs]) error {
	w.tally.started(job.Args.At)
	time.Sleep(w.sleep)
	return nil
}

type engineCommand struct {
	Do         string  `json:"do"`
	N          int     `json:"n"`
	PerSecond  float64 `json:"per_second"`
	MaxWorkers int     `json:"max_workers"`
	Tuned      bool    `json:"tuned"`
	SleepMs    float64 `json:"sleep_ms"`
}

// engine is River as one of the engines of the benchmark; the protocol is that of interop/node-queues.
type engine struct {
	pool   *pgxpool.Pool
	schema string
	tally  tally
	client *river.Client[pgx.Tx]
}

func (e *engine) start(ctx context.Context, cmd engineCommand) error {
	workers := river.NewWorkers()
	sleep := time.Duration(cmd.SleepMs * float64(time.Millisecond))
	river.AddWorker(workers, &engineWorker{tally: &e.tally, sleep: sleep})
	config := &river.Config{
		Schema: e.schema, Workers: workers, Queues: map[string]river.QueueConfig{"bench": {MaxWorkers: cmd.MaxWorkers}},
	}
	if cmd.Tuned { // as River's own benchmark does
		config.FetchCooldown = 2 * time.Millisecond
		config.FetchPollInterval = 20 * time.Millisecond
	}
	client, err := river.NewClient(riverpgxv5.New(e.pool), config)
	if err != nil {
		return err
	}
	events, _ := client.SubscribeConfig(&river.SubscribeConfig{
		ChanSize: 200_000, Kinds: []river.EventKind{river.EventKindJobCompleted},
	})
	go func() {
		for event := range events {
			var args engineArgs
			if json.Unmarshal(event.Job.EncodedArgs, &args) == nil {
				e.tally.ended(args.At)
			}
		}
	}()
	e.client = client
	return client.Start(ctx)
}

func (e *engine) drain(ctx context.Context, cmd engineCommand) (any, error) {
	all := e.tally.reset(cmd.N)
	begun := time.Now()
	if err := e.start(ctx, cmd); err != nil {
		return nil, err
	}
	<-all
	seconds := time.Since(begun).Seconds()
	return map[string]any{"seconds": seconds}, e.client.Stop(ctx)
}

func (e *engine) pace(ctx context.Context, cmd engineCommand) (any, error) {
	all := e.tally.reset(cmd.N)
	begun := engineNow()
	failures := make(chan error, cmd.N)
	for i := range cmd.N {
		due := begun + float64(i)*1000/cmd.PerSecond
		time.Sleep(time.Duration((due - engineNow()) * float64(time.Millisecond)))
		go func() {
			_, err := e.client.Insert(ctx, engineArgs{At: due}, &river.InsertOpts{Queue: "bench"})
			failures <- err
		}()
	}
	for range cmd.N {
		if err := <-failures; err != nil {
			return nil, err
		}
	}
	<-all
	return map[string]any{"start_ms": e.tally.start, "finalised_ms": e.tally.finalised}, nil
}

func (e *engine) fill(ctx context.Context, cmd engineCommand) error {
	client, err := river.NewClient(riverpgxv5.New(e.pool), &river.Config{Schema: e.schema})
	if err != nil {
		return err
	}
	for left := cmd.N; left > 0; left -= 5000 {
		params := make([]river.InsertManyParams, min(left, 5000))
		for i := range params {
			params[i] = river.InsertManyParams{Args: engineArgs{}, InsertOpts: &river.InsertOpts{Queue: "bench"}}
		}
		if _, err := client.InsertManyFast(ctx, params); err != nil {
			return err
		}
	}
	return nil
}

func (e *engine) perform(ctx context.Context, cmd engineCommand) (any, error) {
	done := map[string]any{}
	switch cmd.Do {
	case "start":
		return done, e.start(ctx, cmd)
	case "stop":
		return done, e.client.Stop(ctx)
	case "fill":
		return done, e.fill(ctx, cmd)
	case "drain":
		return e.drain(ctx, cmd)
	case "pace":
		return e.pace(ctx, cmd)
	default:
		return nil, fmt.Errorf("no command %q", cmd.Do)
	}
}

func runEngine(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	e := &engine{pool: pool, schema: schema}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for in.More() {
		var cmd engineCommand
		if err := in.Decode(&cmd); err != nil {
			return err
		}
		answer, err := e.perform(ctx, cmd)
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}
