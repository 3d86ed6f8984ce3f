// Command river-go is a real Go River for our tests. `serve` takes one JSON command a line on standard input and gives
// one JSON answer a line on standard output, with events between them; `goldens` prints what our tests compare with.
// One source builds with several versions of River: see the README.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"
)

const usage = "usage: river-go serve DATABASE_URL SCHEMA | river-go bench DATABASE_URL SCHEMA | " +
	"river-go engine DATABASE_URL SCHEMA | river-go goldens NAME"

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "goldens":
		return printGoldens(ctx, args[1])
	case len(args) == 3 && (args[0] == "serve" || args[0] == "bench" || args[0] == "engine"):
		pool, err := pgxpool.New(ctx, args[1])
		if err != nil {
			return err
		}
		defer pool.Close()
		if args[0] == "bench" {
			return runBench(ctx, pool, args[2])
		}
		if args[0] == "engine" {
			return runEngine(ctx, pool, args[2])
		}
		return serve(ctx, pool, args[2])
	default:
		return errors.New(usage)
	}
}
