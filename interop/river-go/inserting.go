package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// rawArgs are arguments of any kind, as the caller has written them.
type rawArgs struct {
	kind string
	json json.RawMessage
}

func (r rawArgs) Kind() string { return r.kind }

func (r rawArgs) MarshalJSON() ([]byte, error) {
	if r.json == nil {
		return []byte("{}"), nil
	}
	return r.json, nil
}

func (r *rawArgs) UnmarshalJSON(text []byte) error {
	r.json = append(json.RawMessage{}, text...)
	return nil
}

type uniqueness struct {
	ByArgs        bool                 `json:"by_args"`
	PeriodSeconds float64              `json:"period_seconds"`
	ByQueue       bool                 `json:"by_queue"`
	States        []rivertype.JobState `json:"states"`
	ExcludeKind   bool                 `json:"exclude_kind"`
}

func (u uniqueness) opts() river.UniqueOpts {
	return river.UniqueOpts{
		ByArgs: u.ByArgs, ByPeriod: time.Duration(u.PeriodSeconds * float64(time.Second)), ByQueue: u.ByQueue,
		ByState: u.States, ExcludeKind: u.ExcludeKind,
	}
}

// insertion is one job; with a kind that golden_kinds.go declares, its type says which fields make it unique.
type insertion struct {
	Kind        string          `json:"kind"`
	Args        json.RawMessage `json:"args"`
	Queue       string          `json:"queue"`
	Priority    int             `json:"priority"`
	MaxAttempts int             `json:"max_attempts"`
	ScheduledAt time.Time       `json:"scheduled_at"`
	Tags        []string        `json:"tags"`
	Metadata    json.RawMessage `json:"metadata"`
	Pending     bool            `json:"pending"`
	Unique      *uniqueness     `json:"unique"`
	// Tx names a transaction that was begun.
	Tx string `json:"tx"`
	// Times inserts the same job so often, at the same time.
	Times int `json:"times"`
}

func (i insertion) args() (river.JobArgs, error) {
	if i.Kind != (uniqueFile{}).Kind() {
		return rawArgs{kind: i.Kind, json: i.Args}, nil
	}
	var args uniqueFile
	err := json.Unmarshal(i.Args, &args)
	return args, err
}

func (i insertion) opts() *river.InsertOpts {
	opts := &river.InsertOpts{
		Queue: i.Queue, Priority: i.Priority, MaxAttempts: i.MaxAttempts, ScheduledAt: i.ScheduledAt, Tags: i.Tags,
		Metadata: i.Metadata, Pending: i.Pending,
	}
	if i.Unique != nil {
		opts.UniqueOpts = i.Unique.opts()
	}
	return opts
}

// inserted is what a caller of River gets to know.
type inserted struct {
	row
	Duplicate bool `json:"is_duplicate"`
}

func insertedOf(result *rivertype.JobInsertResult) inserted {
	return inserted{row: rowOf(result.Job), Duplicate: result.UniqueSkippedAsDuplicate}
}

func insert(ctx context.Context, s *session, given insertion) (any, error) {
	args, err := given.args()
	if err != nil {
		return nil, err
	}
	one := func() (*rivertype.JobInsertResult, error) {
		if given.Tx == "" {
			return s.asked.Insert(ctx, args, given.opts())
		}
		tx, err := s.tx(given.Tx)
		if err != nil {
			return nil, err
		}
		return s.asked.InsertTx(ctx, tx, args, given.opts())
	}
	if given.Times == 0 {
		result, err := one()
		if err != nil {
			return nil, err
		}
		return insertedOf(result), nil
	}
	return atOnce(given.Times, one)
}

func atOnce(times int, one func() (*rivertype.JobInsertResult, error)) (any, error) {
	type outcome struct {
		result *rivertype.JobInsertResult
		err    error
	}
	outcomes := make(chan outcome, times)
	for range times {
		go func() {
			result, err := one()
			outcomes <- outcome{result, err}
		}()
	}
	all := []inserted{}
	for range times {
		each := <-outcomes
		if each.err != nil {
			return nil, each.err
		}
		all = append(all, insertedOf(each.result))
	}
	return all, nil
}

type insertions struct {
	Jobs []insertion `json:"jobs"`
	Tx   string      `json:"tx"`
}

func (i insertions) params() ([]river.InsertManyParams, error) {
	params := []river.InsertManyParams{}
	for _, job := range i.Jobs {
		args, err := job.args()
		if err != nil {
			return nil, err
		}
		params = append(params, river.InsertManyParams{Args: args, InsertOpts: job.opts()})
	}
	return params, nil
}

func insertMany(ctx context.Context, s *session, given insertions) (any, error) {
	params, err := given.params()
	if err != nil {
		return nil, err
	}
	results, err := s.asked.InsertMany(ctx, params)
	if err != nil {
		return nil, err
	}
	all := []inserted{}
	for _, result := range results {
		all = append(all, insertedOf(result))
	}
	return all, nil
}

func insertFast(ctx context.Context, s *session, given insertions) (any, error) {
	params, err := given.params()
	if err != nil {
		return nil, err
	}
	count, err := s.asked.InsertManyFast(ctx, params)
	return map[string]int{"count": count}, err
}

type named struct {
	Tx  string `json:"tx"`
	SQL string `json:"sql"`
}

func (s *session) tx(name string) (pgx.Tx, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tx, ok := s.txs[name]; ok {
		return tx, nil
	}
	return nil, fmt.Errorf("no transaction %q", name)
}

func begin(ctx context.Context, s *session, given named) (any, error) {
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.txs[given.Tx] = tx
	return "begun", nil
}

// execute runs a statement, a savepoint for instance, in a transaction.
func execute(ctx context.Context, s *session, given named) (any, error) {
	tx, err := s.tx(given.Tx)
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, given.SQL)
	return "executed", err
}

func commit(ctx context.Context, s *session, given named) (any, error) {
	tx, err := s.tx(given.Tx)
	if err != nil {
		return nil, err
	}
	return "committed", tx.Commit(ctx)
}

func rollback(ctx context.Context, s *session, given named) (any, error) {
	tx, err := s.tx(given.Tx)
	if err != nil {
		return nil, err
	}
	return "rolled back", tx.Rollback(ctx)
}

// row is a job as River's Go sees it.
type row struct {
	ID           string                   `json:"id"`
	Kind         string                   `json:"kind"`
	Queue        string                   `json:"queue"`
	State        rivertype.JobState       `json:"state"`
	Args         json.RawMessage          `json:"args"`
	Attempt      int                      `json:"attempt"`
	MaxAttempts  int                      `json:"max_attempts"`
	Priority     int                      `json:"priority"`
	Metadata     json.RawMessage          `json:"metadata"`
	Tags         []string                 `json:"tags"`
	AttemptedBy  []string                 `json:"attempted_by"`
	Errors       []rivertype.AttemptError `json:"errors"`
	CreatedAt    time.Time                `json:"created_at"`
	ScheduledAt  time.Time                `json:"scheduled_at"`
	AttemptedAt  *time.Time               `json:"attempted_at"`
	FinalizedAt  *time.Time               `json:"finalized_at"`
	UniqueKey    string                   `json:"unique_key"`
	UniqueStates []rivertype.JobState     `json:"unique_states"`
}

func rowOf(job *rivertype.JobRow) row {
	return row{
		ID: fmt.Sprint(job.ID), Kind: job.Kind, Queue: job.Queue, State: job.State, Args: job.EncodedArgs,
		Attempt: job.Attempt, MaxAttempts: job.MaxAttempts, Priority: job.Priority, Metadata: job.Metadata,
		Tags: job.Tags, AttemptedBy: job.AttemptedBy, Errors: job.Errors, CreatedAt: job.CreatedAt.UTC(),
		ScheduledAt: job.ScheduledAt.UTC(), AttemptedAt: job.AttemptedAt, FinalizedAt: job.FinalizedAt,
		UniqueKey: hex.EncodeToString(job.UniqueKey), UniqueStates: job.UniqueStates,
	}
}
