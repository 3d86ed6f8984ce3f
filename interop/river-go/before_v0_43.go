//go:build river_v0_26

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

var errLater = errors.New("this version of River cannot do that")

func validateWith(ctx context.Context, migrator *rivermigrate.Migrator[pgx.Tx]) (*rivermigrate.ValidateResult, error) {
	return migrator.Validate(ctx)
}

func updateOutput(context.Context, *clientOf, int64, json.RawMessage) (*rivertype.JobRow, error) {
	return nil, errLater
}

func askToResign(context.Context, *clientOf) error { return errLater }

func performLater(_ context.Context, _ *scriptedWorker, _ *river.Job[rawArgs], each action) error {
	return fmt.Errorf("no action %q: %w", each.Do, errLater)
}
