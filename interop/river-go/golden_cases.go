package main

import (
	"math"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// uniqueCases are the jobs whose keys every client must agree on.
func uniqueCases() []uniqueCase {
	cases := append(argumentCases(), selectedCases()...)
	cases = append(cases, periodCases()...)
	cases = append(cases, stateCases()...)
	for i := range cases {
		if cases[i].now.IsZero() {
			cases[i].now = moment(123_456_789)
		}
	}
	return cases
}

func argumentCases() []uniqueCase {
	all := uniqueness{ByArgs: true}
	cases := []uniqueCase{}
	for _, each := range []namedValue{
		{"no arguments", map[string]any{}},
		{"two keys are sorted", nestedFirst{B: 2, A: 1}},
		{"nested order stays", map[string]any{"nested": nested{Z: 1, A: "2"}}},
		{"nested maps are sorted by Go", map[string]any{"m": map[string]any{"z": 1, "a": map[string]any{"d": 1, "c": 2}}}},
		{"integer-like keys on top", map[string]any{"10": 1, "9": 2, "2": 3, "b": 4}},
		{"integer-like keys below", map[string]any{"m": map[string]any{"10": 1, "9": 2, "x": 3}}},
		{"keys in order of bytes", map[string]any{"é": 1, "z": 2, "Z": 3, "😀": 4, "\uffee": 5, "_": 6}},
		{"markup in values", map[string]any{"html": "<a href=\"x\">&</a>"}},
		{"markup in keys", map[string]any{"<b>": 1, "a&b": 2}},
		{"markup in keys beside an accent", map[string]any{"<é>": 1}},
		{"quotes in keys", map[string]any{"\"": 1, "\\": 2}},
		{"separators", map[string]any{"text": "\u2028\u2029"}},
		{"control characters", map[string]any{"text": "\x00\x01\b\t\n\v\f\r\x1f\x7f"}},
		{"control characters in keys", map[string]any{"a\nb": 1}},
		{"not UTF-8", map[string]any{"text": "a\xffb"}},
		{"emoji and accents", map[string]any{"text": "é😀 ÿ"}},
		{"slash", map[string]any{"path": "a/b/c"}},
		{"key with a slash", map[string]any{"path/key": "a"}},
		{"key with a hyphen", map[string]any{"x-y": 1}},
		{"key with a space", map[string]any{"x y": 1}},
		{"key with a dot", map[string]any{"user.id": 1, "user": 2}},
		{"keys of path syntax", map[string]any{"*": 1, "?": 2, "a|b": 3, "#": 4, "@x": 5, "!": 6, ":1": 7}},
		{"empty key", map[string]any{"": 1, "a": 2}},
		{"floats", map[string]any{"a": 0.1, "b": 1.5, "c": 1e21, "d": 1e-7, "e": 100.0, "f": 0.30000000000000004, "g": 1e20, "h": 1e-6}},
		{"more floats", map[string]any{"a": math.MaxFloat64, "b": 5e-324, "c": -1e-7, "d": -1e21, "e": 123456789.125, "f": 4.35}},
		{"minus zero", map[string]any{"a": math.Copysign(0, -1), "b": 0}},
		{"the largest exact integers", map[string]any{"a": int64(1 << 53), "b": int64(-(1 << 53))}},
		{"beyond exact integers", map[string]any{"a": int64(1<<53 + 1), "b": int64(-(1<<53 + 1))}},
		{"ends of int64", map[string]any{"max": int64(math.MaxInt64), "min": int64(math.MinInt64)}},
		{"the end of uint64", map[string]any{"max": uint64(math.MaxUint64)}},
		{"null", map[string]any{"a": nil}},
		{"booleans", map[string]any{"t": true, "f": false}},
		{"lists", map[string]any{"list": []any{1, "two", nil, []any{}, map[string]any{}}}},
		{"times", map[string]any{"a": moment(0), "b": moment(120_000_000), "c": moment(123_000_000)}},
		{"a time with nanoseconds, as text", map[string]any{"at": moment(123_456_789).Format(time.RFC3339Nano)}},
		{"a time in a zone, as text", map[string]any{"at": moment(0).In(time.FixedZone("", 5*3600+1800)).Format(time.RFC3339Nano)}},
		{"bytes", map[string]any{"bytes": []byte{0, 1, 250, 255}}},
		{"everything", sample()},
		{"a long text", map[string]any{"text": longText()}},
	} {
		cases = append(cases, uniqueCase{name: each.name, args: anyArgs{"unique_all", each.value}, opts: all})
	}
	return append(cases,
		uniqueCase{name: "arguments are no object", args: rawArgs{"unique_all", []byte(`[1,2]`)}, opts: all},
		uniqueCase{name: "arguments are a text", args: rawArgs{"unique_all", []byte(`"text"`)}, opts: all},
		uniqueCase{name: "arguments are null", args: rawArgs{"unique_all", []byte(`null`)}, opts: all},
	)
}

type nestedFirst struct {
	B int `json:"b"`
	A int `json:"a"`
}

func longText() string {
	text := ""
	for len(text) < 5000 {
		text += "line <of> text & more\n"
	}
	return text
}

func selectedCases() []uniqueCase {
	opts := uniqueness{ByArgs: true}
	label, number := "selected", int64(7)
	at := account{ID: "acct-123", Region: "west", Note: "ignored"}
	exotic := uniqueExotic{
		At: moment(5_000_000), Bytes: []byte("<&>"), Ratio: 1e21, Big: 1<<53 + 1, Map: map[string]any{"b": 1, "a": "<"}, Text: "é\u2028", Note: "x",
	}
	return []uniqueCase{
		{name: "selected fields", args: uniqueFile{FileID: "f1", Size: 3, Note: "ignored"}, opts: opts},
		{name: "selected fields, another note", args: uniqueFile{FileID: "f1", Size: 3, Note: "other"}, opts: opts},
		{name: "selected fields with markup", args: uniqueFile{FileID: "<f&1>", Size: -1}, opts: opts},
		{name: "selected below and a key with a slash", args: uniqueAccount{Account: at, Path: "a/b", Trace: "x"}, opts: opts},
		{name: "selected below, empty", args: uniqueAccount{}, opts: opts},
		{name: "selected, one null", args: uniqueOptional{Label: nil, Other: "x"}, opts: opts},
		{name: "selected, one missing", args: uniqueOptional{Label: &label, Other: "x"}, opts: opts},
		{name: "selected, none missing", args: uniqueOptional{Label: &label, Number: &number}, opts: opts},
		{name: "selected, all missing", args: uniqueAllOmitted{Other: "x"}, opts: opts},
		{name: "selected, the second of two", args: uniqueAllOmitted{Second: "x"}, opts: opts},
		{name: "a whole object selected", args: uniqueWhole{Account: plainAccount{Zone: "z", ID: "i"}, Trace: "x"}, opts: opts},
		{name: "selected of every type", args: exotic, opts: opts},
		{name: "selected are sorted", args: uniqueOrder{Zebra: 1, Apple: 2, Middle: 3}, opts: opts},
		{name: "selected with period and queue", args: uniqueFile{FileID: "f1", Size: 3}, queue: "priority_emails",
			opts: uniqueness{ByArgs: true, ByQueue: true, PeriodSeconds: 60}},
		{name: "marked fields without by args", args: uniqueFile{FileID: "f1"}, opts: uniqueness{ByQueue: true}},
	}
}

func periodCases() []uniqueCase {
	plain := anyArgs{"conformance_simple", map[string]any{"id": 42}}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	berlin := time.FixedZone("", 2*3600)
	period := func(name string, seconds float64, now time.Time) uniqueCase {
		return uniqueCase{name: "period " + name, args: plain, opts: uniqueness{PeriodSeconds: seconds}, now: now}
	}
	cases := []uniqueCase{
		period("1 s", 1, at.Add(999*time.Millisecond)), period("7 s", 7, at), period("1 min", 60, at), period("7 min", 420, at),
		period("15 min", 900, at), period("1 h", 3600, at), period("90 min", 5400, at), period("5 h", 18_000, at), period("24 h", 86_400, at),
		period("7 days", 7*86_400, at), period("30 days", 30*86_400, at), period("1.5 s", 1.5, at), period("90 min, before 1970", 5400, time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC)),
		period("7 days at the epoch", 7*86_400, time.Unix(0, 0).UTC()), period("1 h, now in a zone", 3600, at.In(berlin)), period("7 days, now in a zone", 7*86_400, at.In(berlin)),
		period("24 h, as summer time begins", 86_400, time.Date(2026, 3, 29, 2, 30, 0, 0, time.UTC)), period("24 h, in 9999", 86_400, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)),
		period("too short", 0.5, at),
	}
	later := period("1 h, scheduled for tomorrow", 3600, at)
	later.scheduledAt = at.Add(24 * time.Hour)
	zoned := period("1 h, scheduled in a zone", 3600, at)
	zoned.scheduledAt = at.Add(26 * time.Hour).In(berlin)
	past := period("1 h, scheduled for yesterday", 3600, at)
	past.scheduledAt = at.Add(-24 * time.Hour)
	everything := uniqueCase{name: "arguments, period, queue and states", args: plain, queue: "priority_emails", now: time.Date(2026, 1, 2, 5, 21, 30, 0, time.UTC),
		opts: uniqueness{ByArgs: true, PeriodSeconds: 60, ByQueue: true, States: statesBut(rivertype.JobStateRetryable)}}
	return append(cases, later, zoned, past, everything)
}

func statesBut(left rivertype.JobState) []rivertype.JobState {
	states := []rivertype.JobState{}
	for _, state := range rivertype.UniqueOptsByStateDefault() {
		if state != left {
			states = append(states, state)
		}
	}
	return states
}

func stateCases() []uniqueCase {
	plain := anyArgs{"conformance_simple", map[string]any{"id": 42}}
	required := []rivertype.JobState{"available", "pending", "running", "scheduled"}
	and := func(more ...rivertype.JobState) []rivertype.JobState {
		return append(append([]rivertype.JobState{}, required...), more...)
	}
	cases := []uniqueCase{
		{name: "queue alone", args: plain, queue: "priority_emails", opts: uniqueness{ByQueue: true}},
		{name: "queue without kind", args: plain, queue: "priority_emails", opts: uniqueness{ByQueue: true, ExcludeKind: true}},
		{name: "arguments without kind", args: plain, opts: uniqueness{ByArgs: true, ExcludeKind: true}},
		{name: "period without kind", args: plain, opts: uniqueness{PeriodSeconds: 60, ExcludeKind: true}},
		{name: "without kind alone", args: plain, opts: uniqueness{ExcludeKind: true}},
		{name: "nothing", args: plain},
		{name: "arguments, period, queue without kind", args: plain, queue: "priority_emails",
			opts: uniqueness{ByArgs: true, PeriodSeconds: 3600, ByQueue: true, ExcludeKind: true}},
		{name: "states that are required", args: plain, opts: uniqueness{ByArgs: true, States: required}},
		{name: "every state", args: plain, opts: uniqueness{ByArgs: true, States: and("cancelled", "completed", "discarded", "retryable")}},
		{name: "with completed", args: plain, opts: uniqueness{ByArgs: true, States: and("completed")}},
		{name: "with cancelled", args: plain, opts: uniqueness{ByArgs: true, States: and("cancelled")}},
		{name: "with discarded and retryable", args: plain, opts: uniqueness{ByArgs: true, States: and("retryable", "discarded")}},
		{name: "states alone", args: plain, opts: uniqueness{States: required}},
		{name: "without a required state", args: plain, opts: uniqueness{ByArgs: true, States: required[:3]}},
		{name: "with a state that is none", args: plain, opts: uniqueness{ByArgs: true, States: and("done")}},
	}
	return append(cases, uniqueCase{name: "the default queue", args: plain, queue: river.QueueDefault, opts: uniqueness{ByQueue: true}})
}
