//go:build !river_v0_26

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

func validateWith(ctx context.Context, migrator *rivermigrate.Migrator[pgx.Tx]) (*rivermigrate.ValidateResult, error) {
	return migrator.Validate(ctx, nil)
}

func updateOutput(ctx context.Context, client *clientOf, id int64, output json.RawMessage) (*rivertype.JobRow, error) {
	return client.JobUpdate(ctx, id, &river.JobUpdateParams{Output: output})
}

func askToResign(ctx context.Context, client *clientOf) error {
	return client.Notify().RequestResign(ctx)
}

// performLater performs what River learned after v0.26.
func performLater(ctx context.Context, w *scriptedWorker, job *river.Job[rawArgs], each action) error {
	switch each.Do {
	case "metadata":
		return river.MetadataSet(ctx, each.Name, each.Value)
	case "step":
		river.ResumableStep(ctx, each.Name, nil, func(context.Context) error {
			w.session.emit("step", map[string]any{"job": fmt.Sprint(job.ID), "name": each.Name})
			return failure(each.Text)
		})
		return nil
	case "cursor_step": // remembers the value, and then fails if it has a text
		river.ResumableStepCursor(ctx, each.Name, nil, func(ctx context.Context, cursor json.RawMessage) error {
			w.session.emit("step", map[string]any{"job": fmt.Sprint(job.ID), "name": each.Name, "cursor": cursor})
			if each.Value != nil {
				if err := river.ResumableSetCursor(ctx, each.Value); err != nil {
					return err
				}
			}
			return failure(each.Text)
		})
		return nil
	default:
		return fmt.Errorf("no action %q", each.Do)
	}
}

func failure(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}
