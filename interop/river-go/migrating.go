package main

import (
	"context"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

type migration struct {
	Schema string `json:"schema"`
	Down   bool   `json:"down"`
	// Target is the last version to apply; going down, the first to keep, and -1 keeps none.
	Target int `json:"target"`
}

func migrate(ctx context.Context, s *session, given migration) (any, error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(s.pool), &rivermigrate.Config{Schema: s.in(given.Schema), Logger: warnings()})
	if err != nil {
		return nil, err
	}
	direction := rivermigrate.DirectionUp
	if given.Down {
		direction = rivermigrate.DirectionDown
	}
	result, err := migrator.Migrate(ctx, direction, &rivermigrate.MigrateOpts{TargetVersion: given.Target})
	if err != nil {
		return nil, err
	}
	versions := []int{}
	for _, each := range result.Versions {
		versions = append(versions, each.Version)
	}
	return map[string]any{"versions": versions}, nil
}

func validate(ctx context.Context, s *session, given migration) (any, error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(s.pool), &rivermigrate.Config{Schema: s.in(given.Schema), Logger: warnings()})
	if err != nil {
		return nil, err
	}
	result, err := validateWith(ctx, migrator)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ok": result.OK, "messages": append([]string{}, result.Messages...)}, nil
}

func (s *session) in(schema string) string {
	if schema == "" {
		return s.schema
	}
	return schema
}
