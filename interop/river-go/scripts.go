package main

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// script says what a job does, one list of actions for each time that it runs; the last one repeats. The handler of our
// own tests reads the same scripts, so that both engines do the same.
type script struct {
	Script [][]action `json:"script"`
	// RetryMS replaces the retry policy.
	RetryMS *int64 `json:"retry_ms"`
	// TimeoutMS replaces the client's; -1 is none.
	TimeoutMS int64 `json:"timeout_ms"`
}

type action struct {
	Do    string          `json:"do"`
	Text  string          `json:"text"`
	MS    int64           `json:"ms"`
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// runsBefore counts how often a job has run: failures and snoozes.
func runsBefore(job *rivertype.JobRow) int {
	var metadata struct {
		Snoozes int `json:"snoozes"`
	}
	_ = json.Unmarshal(job.Metadata, &metadata) // what cannot be read was never snoozed
	return len(job.Errors) + metadata.Snoozes
}

func scriptOf(job *river.Job[rawArgs]) script {
	var read script
	_ = json.Unmarshal(job.Args.json, &read) // other arguments have no script, and such jobs succeed
	return read
}

func actionsOf(job *river.Job[rawArgs]) []action {
	all := scriptOf(job).Script
	if len(all) == 0 {
		return nil
	}
	return all[min(runsBefore(job.JobRow), len(all)-1)]
}

// scriptedWorker performs scripts and tells when a job starts and ends.
type scriptedWorker struct {
	river.WorkerDefaults[rawArgs]
	session *session
}

func (w *scriptedWorker) NextRetry(job *river.Job[rawArgs]) time.Time {
	if ms := scriptOf(job).RetryMS; ms != nil {
		return time.Now().Add(time.Duration(*ms) * time.Millisecond)
	}
	return time.Time{}
}

func (w *scriptedWorker) Timeout(job *river.Job[rawArgs]) time.Duration {
	if ms := scriptOf(job).TimeoutMS; ms > 0 {
		return time.Duration(ms) * time.Millisecond
	} else if ms < 0 {
		return -1
	}
	return 0
}

func (w *scriptedWorker) Work(ctx context.Context, job *river.Job[rawArgs]) error {
	w.tell("started", job, nil)
	for _, each := range actionsOf(job) {
		if err := w.perform(ctx, job, each); err != nil {
			w.tell("ended", job, err)
			return err
		}
	}
	w.tell("ended", job, nil)
	return nil
}

func (w *scriptedWorker) tell(event string, job *river.Job[rawArgs], err error) {
	fields := map[string]any{"job": strconv.FormatInt(job.ID, 10), "kind": job.Kind, "attempt": job.Attempt}
	if err != nil {
		fields["error"] = err.Error()
	}
	w.session.emit(event, fields)
}

func (w *scriptedWorker) perform(ctx context.Context, job *river.Job[rawArgs], each action) error {
	switch each.Do {
	case "succeed":
		return nil
	case "fail":
		return errors.New(each.Text)
	case "cancel":
		return river.JobCancel(errors.New(each.Text))
	case "snooze":
		return river.JobSnooze(time.Duration(each.MS) * time.Millisecond)
	case "panic":
		panic(each.Text)
	case "sleep":
		return sleep(ctx, time.Duration(each.MS)*time.Millisecond)
	case "stall": // as a handler that knows of no cancellation
		return sleep(context.Background(), time.Duration(each.MS)*time.Millisecond)
	case "hold":
		return w.session.hold(ctx, job.ID)
	case "output":
		return river.RecordOutput(ctx, each.Value)
	case "complete_tx":
		return w.completeInTransaction(ctx, job)
	default:
		return performLater(ctx, w, job, each)
	}
}

func sleep(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}

func (w *scriptedWorker) completeInTransaction(ctx context.Context, job *river.Job[rawArgs]) error {
	tx, err := w.session.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }() // a transaction that was committed says so, and that is all it can say
	if _, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// hold waits until somebody releases the job, or it is cancelled.
func (s *session) hold(ctx context.Context, id int64) error {
	s.mu.Lock()
	released := s.heldOf(id)
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-released:
		return nil
	}
}

func (s *session) heldOf(id int64) chan struct{} {
	if _, ok := s.held[id]; !ok {
		s.held[id] = make(chan struct{})
	}
	return s.held[id]
}

func release(_ context.Context, s *session, given one) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.heldOf(given.ID))
	return "released", nil
}
