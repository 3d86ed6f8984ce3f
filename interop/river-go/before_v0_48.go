//go:build river_v0_26 || river_v0_43

package main

import (
	"errors"

	"github.com/riverqueue/river"
)

func configureLater(_ *river.Config, e employment) error {
	if e.Follow || e.KnownKindsOnly {
		return errors.New("this version of River cannot do that")
	}
	return nil
}

func eventKinds() []river.EventKind {
	return []river.EventKind{
		river.EventKindJobCancelled, river.EventKindJobCompleted, river.EventKindJobFailed, river.EventKindJobSnoozed,
		river.EventKindQueuePaused, river.EventKindQueueResumed,
	}
}
