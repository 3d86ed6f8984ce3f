package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// uniqueCase is a job with options that make it unique.
type uniqueCase struct {
	name        string
	args        river.JobArgs
	opts        uniqueness
	queue       string
	now         time.Time
	scheduledAt time.Time
}

// uniqueInput is what a caller in TypeScript passes. Times are RFC 3339.
type uniqueInput struct {
	Kind        string          `json:"kind"`
	Args        json.RawMessage `json:"args"`
	Queue       string          `json:"queue"`
	Now         string          `json:"now"`
	ScheduledAt *string         `json:"scheduled_at"`
	// Fields are those that count, as paths; null where all do.
	Fields []string   `json:"fields"`
	Unique uniqueness `json:"unique"`
}

type uniqueKey struct {
	Name  string      `json:"name"`
	Input uniqueInput `json:"input"`
	// String is what was hashed, as far as this program knows how this version of River makes it.
	String *string `json:"string"`
	SHA256 *string `json:"sha256"`
	// Mask is zero where the job is not unique at all.
	Mask int `json:"mask"`
	// Error is River's, where it refuses the options.
	Error *string `json:"error"`
}

// clock is a clock that stands still, for every version of River's interface.
type clock struct{ at time.Time }

func (c clock) Now() time.Time          { return c.at }
func (c clock) NowOrNil() *time.Time    { return &c.at }
func (c clock) NowUTC() time.Time       { return c.at.UTC() }
func (c clock) NowUTCOrNil() *time.Time { at := c.at.UTC(); return &at }

var errCaptured = errors.New("captured before anything is written")

// capture keeps what River made of an insert, and lets nothing through to the database.
type capture struct {
	river.MiddlewareDefaults
	params *rivertype.JobInsertParams
}

func (c *capture) InsertMany(_ context.Context, params []*rivertype.JobInsertParams, _ func(context.Context) ([]*rivertype.JobInsertResult, error)) ([]*rivertype.JobInsertResult, error) {
	c.params = params[0]
	return nil, errCaptured
}

func uniqueKeys(ctx context.Context) ([]uniqueKey, error) {
	keys := []uniqueKey{}
	for _, each := range uniqueCases() {
		key, err := uniqueKeyOf(ctx, each)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", each.name, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func uniqueKeyOf(ctx context.Context, each uniqueCase) (uniqueKey, error) {
	key := uniqueKey{Name: each.name, Input: each.input()}
	captured := &capture{}
	client, err := river.NewClient(riverpgxv5.New(nil), &river.Config{
		Middleware: []rivertype.Middleware{captured}, Test: river.TestConfig{Time: clock{each.now}}, Logger: warnings(),
	})
	if err != nil {
		return key, err
	}
	opts := &river.InsertOpts{Queue: each.queue, ScheduledAt: each.scheduledAt, UniqueOpts: each.opts.opts()}
	if _, err := client.InsertTx(ctx, nil, each.args, opts); !errors.Is(err, errCaptured) {
		if err == nil {
			return key, errors.New("nothing was captured")
		}
		text := err.Error()
		key.Error = &text
		return key, nil
	}
	if len(captured.params.UniqueKey) == 0 {
		return key, nil
	}
	sum := hex.EncodeToString(captured.params.UniqueKey)
	key.SHA256, key.Mask = &sum, int(captured.params.UniqueStates)
	text, err := each.text(captured.params)
	if err != nil {
		return key, err
	}
	if own := sha256.Sum256([]byte(text)); bytes.Equal(own[:], captured.params.UniqueKey) {
		key.String = &text
	}
	return key, nil
}

func (c uniqueCase) input() uniqueInput {
	input := uniqueInput{
		Kind: c.args.Kind(), Args: describe(c.args), Queue: c.queue, Now: c.now.Format(time.RFC3339Nano),
		Fields: fieldsOf[c.args.Kind()], Unique: c.opts,
	}
	if input.Queue == "" {
		input.Queue = river.QueueDefault
	}
	if !c.scheduledAt.IsZero() {
		text := c.scheduledAt.Format(time.RFC3339Nano)
		input.ScheduledAt = &text
	}
	return input
}

// text puts together what is hashed, from the description of the protocol. Its hash is compared with River's own.
func (c uniqueCase) text(params *rivertype.JobInsertParams) (string, error) {
	var text strings.Builder
	if !c.opts.ExcludeKind {
		text.WriteString("&kind=" + params.Kind)
	}
	if c.opts.ByArgs {
		args, err := c.argsText(params.EncodedArgs)
		if err != nil {
			return "", err
		}
		text.WriteString("&args=" + args)
	}
	if c.opts.PeriodSeconds > 0 {
		at := c.now
		if !c.scheduledAt.IsZero() {
			at = c.scheduledAt
		}
		period := time.Duration(c.opts.PeriodSeconds * float64(time.Second))
		text.WriteString("&period=" + at.Truncate(period).UTC().Format(time.RFC3339))
	}
	if c.opts.ByQueue {
		text.WriteString("&queue=" + params.Queue)
	}
	return text.String(), nil
}

func (c uniqueCase) argsText(encoded []byte) (string, error) {
	fields, isSelected := fieldsOf[c.args.Kind()]
	if !isSelected {
		return sortedObject(encoded, nil)
	}
	tops := map[string][]string{}
	for _, field := range fields {
		top, rest, _ := strings.Cut(field, ".")
		if rest == "" {
			tops[top] = nil
		} else {
			tops[top] = append(tops[top], rest)
		}
	}
	text, err := sortedObject(encoded, tops)
	if text == "{}" {
		text = ""
	}
	return text, err
}

// sortedObject writes the keys of an object in the order of their bytes, with their values as they are; of a key that
// names keys below it only those. Nil takes all keys.
func sortedObject(encoded []byte, keys map[string][]string) (string, error) {
	values, err := objectOf(encoded)
	if err != nil {
		return "", err
	}
	names := []string{}
	for name := range values {
		if _, isWanted := keys[name]; keys == nil || isWanted {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	parts := []string{}
	for _, name := range names {
		value := string(values[name])
		if below := keys[name]; below != nil {
			wanted := map[string][]string{}
			for _, key := range below {
				wanted[key] = nil
			}
			if value, err = sortedObject(values[name], wanted); err != nil {
				return "", err
			}
		}
		parts = append(parts, keyText(name)+":"+value)
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

func objectOf(encoded []byte) (map[string]json.RawMessage, error) {
	var values map[string]json.RawMessage
	return values, json.Unmarshal(encoded, &values)
}

// keyText leaves a key of plain ASCII as it is: River does not escape `<`, `>` and `&` there, but does beside a quote, a
// backslash, a control character or one beyond ASCII.
func keyText(key string) string {
	for _, char := range []byte(key) {
		if char < ' ' || char > 0x7f || char == '"' || char == '\\' {
			return string(must(json.Marshal(key)))
		}
	}
	return `"` + key + `"`
}
