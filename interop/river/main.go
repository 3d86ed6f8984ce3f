// Command river is a real Go River process for our tests: it migrates a schema, or works a queue and does on request
// what an application in Go would do, or is measured. One JSON command a line on standard input, one JSON answer a line on standard
// output.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// goArgs are the arguments of jobs that this process works.
type goArgs struct {
	N int `json:"n"`
}

func (goArgs) Kind() string { return "go_job" }

// tsArgs are the arguments of jobs that this process only inserts.
type tsArgs struct {
	N int `json:"n"`
}

func (tsArgs) Kind() string { return "ts_job" }

type goWorker struct {
	river.WorkerDefaults[goArgs]
}

func (*goWorker) Work(_ context.Context, job *river.Job[goArgs]) error {
	if job.Args.N == 13 {
		return errors.New("unlucky number")
	}
	return nil
}

// refusingWorker makes the kind known, so that it may be inserted; its queue is not worked here.
type refusingWorker struct {
	river.WorkerDefaults[tsArgs]
}

func (*refusingWorker) Work(context.Context, *river.Job[tsArgs]) error {
	return errors.New("this kind is not worked in Go")
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schema})
	if err != nil {
		return err
	}
	result, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]int{"migrated": len(result.Versions)})
}

type command struct {
	Do string `json:"do"`
	ID int64  `json:"id"`
	N  int    `json:"n"`
}

func perform(ctx context.Context, client *river.Client[pgx.Tx], cmd command) (any, error) {
	switch cmd.Do {
	case "insert":
		result, err := client.Insert(ctx, tsArgs{N: cmd.N}, &river.InsertOpts{Queue: "ts"})
		if err != nil {
			return nil, err
		}
		return map[string]any{"id": result.Job.ID}, nil
	case "cancel":
		_, err := client.JobCancel(ctx, cmd.ID)
		return map[string]any{"id": cmd.ID}, err
	case "get":
		job, err := client.JobGet(ctx, cmd.ID)
		if err != nil {
			return nil, err
		}
		texts := []string{}
		for _, attempt := range job.Errors {
			texts = append(texts, attempt.Error)
		}
		return map[string]any{"id": job.ID, "state": job.State, "attempt": job.Attempt, "errors": texts}, nil
	default:
		return nil, fmt.Errorf("no command %q", cmd.Do)
	}
}

func work(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &goWorker{})
	river.AddWorker(workers, &refusingWorker{})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: schema, Workers: workers, Queues: map[string]river.QueueConfig{"go": {MaxWorkers: 10}},
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(map[string]bool{"started": true}); err != nil {
		return err
	}
	in := json.NewDecoder(os.Stdin)
	for {
		var cmd command
		if in.Decode(&cmd) != nil {
			break
		}
		answer, err := perform(ctx, client, cmd)
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	stopping, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return client.Stop(stopping)
}

func main() {
	if len(os.Args) != 4 {
		fail(errors.New("usage: river migrate|work|bench DATABASE_URL SCHEMA"))
	}
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Args[2])
	if err != nil {
		fail(err)
	}
	defer pool.Close()
	run := migrate
	switch os.Args[1] {
	case "work":
		run = work
	case "bench":
		run = runBench
	}
	if err := run(ctx, pool, os.Args[3]); err != nil {
		fail(err)
	}
}
