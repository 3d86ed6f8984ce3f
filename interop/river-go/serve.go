package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// request is one line of input. Requests are performed at the same time; a caller that needs an order waits for answers.
type request struct {
	ID   int64           `json:"id"`
	Do   string          `json:"do"`
	With json.RawMessage `json:"with"`
}

// session is everything that commands share.
type session struct {
	pool   *pgxpool.Pool
	schema string
	// asked only inserts and controls; it works nothing and never leads.
	asked *river.Client[pgx.Tx]

	mu      sync.Mutex
	clients map[string]*river.Client[pgx.Tx]
	txs     map[string]pgx.Tx
	held    map[int64]chan struct{}

	outMu sync.Mutex
	out   *json.Encoder
}

type handler func(ctx context.Context, s *session, with json.RawMessage) (any, error)

// with decodes what a command was given.
func with[T any](perform func(ctx context.Context, s *session, given T) (any, error)) handler {
	return func(ctx context.Context, s *session, raw json.RawMessage) (any, error) {
		var given T
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &given); err != nil {
				return nil, err
			}
		}
		return perform(ctx, s, given)
	}
}

func handlers() map[string]handler {
	return map[string]handler{
		"migrate": with(migrate), "validate": with(validate),
		"insert": with(insert), "insert_many": with(insertMany), "insert_fast": with(insertFast),
		"begin": with(begin), "execute": with(execute), "commit": with(commit), "rollback": with(rollback),
		"start": with(start), "stop": with(stop), "release": with(release),
		"cancel": with(cancel), "retry": with(retry), "delete": with(deleteJob), "get": with(get), "list": with(list),
		"record_output": with(recordOutput), "request_resign": with(requestResign),
		"pause": with(pause), "resume": with(resume), "queue": with(queue), "queues": with(queues),
		"update_queue": with(updateQueue), "listen": with(listen),
	}
}

func serve(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	asked, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: schema, Logger: warnings()})
	if err != nil {
		return err
	}
	s := &session{
		pool: pool, schema: schema, asked: asked, clients: map[string]*river.Client[pgx.Tx]{}, txs: map[string]pgx.Tx{},
		held: map[int64]chan struct{}{}, out: json.NewEncoder(os.Stdout),
	}
	s.out.SetEscapeHTML(false)
	known := handlers()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	s.emit("ready", map[string]any{"river": riverVersion()})
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		go s.perform(ctx, known[asked.Do], asked)
	}
	return lines.Err()
}

func (s *session) perform(ctx context.Context, handle handler, asked request) {
	if handle == nil {
		s.answer(asked.ID, nil, fmt.Errorf("no command %q", asked.Do))
		return
	}
	answer, err := handle(ctx, s, asked.With)
	s.answer(asked.ID, answer, err)
}

func (s *session) answer(id int64, answer any, err error) {
	if err == nil {
		s.print(map[string]any{"id": id, "answer": answer})
		return
	}
	s.print(map[string]any{"id": id, "error": err.Error(), "reason": reasonOf(err)})
}

// emit prints an event: something that nobody asked for just now.
func (s *session) emit(event string, fields map[string]any) {
	line := map[string]any{"event": event}
	for name, value := range fields {
		line[name] = value
	}
	s.print(line)
}

func (s *session) print(line map[string]any) {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	if err := s.out.Encode(line); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// reasonOf tells errors apart that a caller can act on: River's own by name, PostgreSQL's by SQLSTATE.
func reasonOf(err error) string {
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused):
		return refused.Code
	case errors.Is(err, rivertype.ErrNotFound):
		return "not_found"
	case errors.Is(err, rivertype.ErrJobRunning):
		return "job_running"
	default:
		return "other"
	}
}

// warnings go to standard error, which the tests show when they fail.
func warnings() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
