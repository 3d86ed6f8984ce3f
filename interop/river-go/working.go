package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// employment describes a client that works.
type employment struct {
	// Name is how other commands call it.
	Name     string         `json:"name"`
	ClientID string         `json:"client_id"`
	Queues   map[string]int `json:"queues"`
	Kinds    []string       `json:"kinds"`
	// Follow keeps it from standing for election, which River can from v0.48 on.
	Follow         bool `json:"follow"`
	KnownKindsOnly bool `json:"known_kinds_only"`
	FetchPollMS    int  `json:"fetch_poll_ms"`
	CooldownMS     int  `json:"cooldown_ms"`
	JobTimeoutMS   int  `json:"job_timeout_ms"`
	RescueAfterMS  int  `json:"rescue_after_ms"`
	CompletedMS    int  `json:"completed_ms"`
	PollOnly       bool `json:"poll_only"`
	// CancelOn makes the error handler cancel a job whose error has this text.
	CancelOn string `json:"cancel_on"`
}

func (e employment) config(s *session) (*river.Config, error) {
	workers := river.NewWorkers()
	for _, kind := range e.Kinds {
		river.AddWorkerArgs(workers, rawArgs{kind: kind}, &scriptedWorker{session: s})
	}
	config := &river.Config{
		ID: e.ClientID, Schema: s.schema, Workers: workers, Queues: map[string]river.QueueConfig{}, Logger: warnings(),
		FetchPollInterval: milliseconds(e.FetchPollMS), FetchCooldown: milliseconds(e.CooldownMS),
		JobTimeout: milliseconds(e.JobTimeoutMS), RescueStuckJobsAfter: milliseconds(e.RescueAfterMS),
		CompletedJobRetentionPeriod: milliseconds(e.CompletedMS), PollOnly: e.PollOnly,
	}
	if e.CancelOn != "" {
		config.ErrorHandler = &cancellingHandler{text: e.CancelOn}
	}
	for name, maxWorkers := range e.Queues {
		config.Queues[name] = river.QueueConfig{MaxWorkers: maxWorkers}
	}
	return config, configureLater(config, e)
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// cancellingHandler cancels a job for good when its error has a certain text.
type cancellingHandler struct{ text string }

func (h *cancellingHandler) HandleError(_ context.Context, _ *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	return &river.ErrorHandlerResult{SetCancelled: err.Error() == h.text}
}

func (*cancellingHandler) HandlePanic(context.Context, *rivertype.JobRow, any, string) *river.ErrorHandlerResult {
	return nil
}

func start(ctx context.Context, s *session, given employment) (any, error) {
	config, err := given.config(s)
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverpgxv5.New(s.pool), config)
	if err != nil {
		return nil, err
	}
	events, _ := client.SubscribeConfig(&river.SubscribeConfig{ChanSize: 100_000, Kinds: eventKinds()})
	go s.tellEvents(given.Name, events)
	if err := client.Start(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[given.Name] = client
	return map[string]string{"client_id": client.ID()}, nil
}

func (s *session) tellEvents(name string, events <-chan *river.Event) {
	for event := range events {
		fields := map[string]any{"client": name, "kind": string(event.Kind)}
		if event.Job != nil {
			fields["job"] = rowOf(event.Job)
		}
		if event.Queue != nil {
			fields["queue"] = event.Queue.Name
		}
		s.emit("told", fields)
	}
}

type ending struct {
	Name string `json:"name"`
	// Cancel aborts what runs instead of waiting for it.
	Cancel bool `json:"cancel"`
}

func stop(ctx context.Context, s *session, given ending) (any, error) {
	s.mu.Lock()
	client, ok := s.clients[given.Name]
	s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("no client %q", given.Name)
	}
	begun := time.Now()
	var err error
	if given.Cancel {
		err = client.StopAndCancel(ctx)
	} else {
		err = client.Stop(ctx)
	}
	return map[string]any{"ms": time.Since(begun).Milliseconds()}, err
}

type clientOf = river.Client[pgx.Tx]
