package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// one names a job. The id is text, since a bigint is more than a JSON number holds elsewhere.
type one struct {
	ID     int64           `json:"id,string"`
	Output json.RawMessage `json:"output"`
}

func answerRow(job *rivertype.JobRow, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return rowOf(job), nil
}

func cancel(ctx context.Context, s *session, given one) (any, error) {
	return answerRow(s.asked.JobCancel(ctx, given.ID))
}

func retry(ctx context.Context, s *session, given one) (any, error) {
	return answerRow(s.asked.JobRetry(ctx, given.ID))
}

func deleteJob(ctx context.Context, s *session, given one) (any, error) {
	return answerRow(s.asked.JobDelete(ctx, given.ID))
}

func get(ctx context.Context, s *session, given one) (any, error) {
	return answerRow(s.asked.JobGet(ctx, given.ID))
}

func recordOutput(ctx context.Context, s *session, given one) (any, error) {
	return answerRow(updateOutput(ctx, s.asked, given.ID, given.Output))
}

// selection is a list: `after` is the text of a cursor.
type selection struct {
	States   []rivertype.JobState      `json:"states"`
	Kinds    []string                  `json:"kinds"`
	Queues   []string                  `json:"queues"`
	Metadata string                    `json:"metadata"`
	OrderBy  river.JobListOrderByField `json:"order_by"`
	Desc     bool                      `json:"desc"`
	First    int                       `json:"first"`
	After    string                    `json:"after"`
}

func (w selection) params() (*river.JobListParams, error) {
	params := river.NewJobListParams()
	if w.States != nil {
		params = params.States(w.States...)
	}
	if w.Kinds != nil {
		params = params.Kinds(w.Kinds...)
	}
	if w.Queues != nil {
		params = params.Queues(w.Queues...)
	}
	if w.Metadata != "" {
		params = params.Metadata(w.Metadata)
	}
	if w.First > 0 {
		params = params.First(w.First)
	}
	order := river.SortOrderAsc
	if w.Desc {
		order = river.SortOrderDesc
	}
	if w.OrderBy != "" {
		params = params.OrderBy(w.OrderBy, order)
	}
	if w.After != "" {
		cursor := new(river.JobListCursor)
		if err := cursor.UnmarshalText([]byte(w.After)); err != nil {
			return nil, err
		}
		params = params.After(cursor)
	}
	return params, nil
}

func list(ctx context.Context, s *session, given selection) (any, error) {
	params, err := given.params()
	if err != nil {
		return nil, err
	}
	result, err := s.asked.JobList(ctx, params)
	if err != nil {
		return nil, err
	}
	jobs := []row{}
	for _, job := range result.Jobs {
		jobs = append(jobs, rowOf(job))
	}
	if result.LastCursor == nil {
		return map[string]any{"jobs": jobs, "cursor": nil}, nil
	}
	cursor, err := result.LastCursor.MarshalText()
	return map[string]any{"jobs": jobs, "cursor": string(cursor)}, err
}

// lane is a queue; the name `*` is all of them.
type lane struct {
	Name     string          `json:"name"`
	Metadata json.RawMessage `json:"metadata"`
}

func pause(ctx context.Context, s *session, given lane) (any, error) {
	return "paused", s.asked.QueuePause(ctx, given.Name, nil)
}

func resume(ctx context.Context, s *session, given lane) (any, error) {
	return "resumed", s.asked.QueueResume(ctx, given.Name, nil)
}

func updateQueue(ctx context.Context, s *session, given lane) (any, error) {
	return answerQueue(s.asked.QueueUpdate(ctx, given.Name, &river.QueueUpdateParams{Metadata: given.Metadata}))
}

func queue(ctx context.Context, s *session, given lane) (any, error) {
	return answerQueue(s.asked.QueueGet(ctx, given.Name))
}

func queues(ctx context.Context, s *session, _ struct{}) (any, error) {
	result, err := s.asked.QueueList(ctx, river.NewQueueListParams())
	if err != nil {
		return nil, err
	}
	all := []queueRow{}
	for _, each := range result.Queues {
		all = append(all, queueRowOf(each))
	}
	return all, nil
}

type queueRow struct {
	Name     string          `json:"name"`
	Metadata json.RawMessage `json:"metadata"`
	PausedAt *time.Time      `json:"paused_at"`
}

func queueRowOf(queue *rivertype.Queue) queueRow {
	return queueRow{Name: queue.Name, Metadata: queue.Metadata, PausedAt: queue.PausedAt}
}

func answerQueue(queue *rivertype.Queue, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return queueRowOf(queue), nil
}

// listen prints every notification of the schema, as it is.
func listen(ctx context.Context, s *session, _ struct{}) (any, error) {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	for _, topic := range []string{"river_insert", "river_control", "river_leadership"} {
		channel := pgx.Identifier{fmt.Sprintf("%s.%s", s.schema, topic)}.Sanitize()
		if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
			return nil, err
		}
	}
	go func() {
		for {
			heard, err := conn.WaitForNotification(ctx)
			if err != nil {
				s.emit("listening_ended", map[string]any{"error": err.Error()})
				return
			}
			s.emit("notification", map[string]any{"channel": heard.Channel, "payload": heard.Payload})
		}
	}()
	return "listening", nil
}

func requestResign(ctx context.Context, s *session, _ struct{}) (any, error) {
	return "requested", askToResign(ctx, s.asked)
}
