//go:build !river_v0_26 && !river_v0_43

package main

import "github.com/riverqueue/river"

func configureLater(config *river.Config, e employment) error {
	config.LeaderElectionDisabled = e.Follow
	config.FetchOnlyKnownKinds = e.KnownKindsOnly
	return nil
}

func eventKinds() []river.EventKind {
	return []river.EventKind{
		river.EventKindJobCancelled, river.EventKindJobCompleted, river.EventKindJobFailed, river.EventKindJobInterrupted,
		river.EventKindJobSnoozed, river.EventKindQueuePaused, river.EventKindQueueResumed,
	}
}
