package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// riverVersion is the version of River that this program is built with.
func riverVersion() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/riverqueue/river" {
				return module.Version
			}
		}
	}
	return "unknown"
}

func printGoldens(ctx context.Context, name string) error {
	var cases any
	var err error
	switch name {
	case "unique-keys":
		cases, err = uniqueKeys(ctx)
	case "go-json":
		cases, err = goJSON()
	case "retry-delays":
		cases = retryDelays()
	case "attempt-errors":
		cases, err = attemptErrors()
	default:
		return fmt.Errorf("no goldens %q", name)
	}
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	return out.Encode(map[string]any{"river": riverVersion(), "go": runtime.Version(), "cases": cases})
}

type jsonCase struct {
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
	JSON  string          `json:"json"`
}

// goJSON encodes every value of the table, and some at random, whose seed is part of the table.
func goJSON() ([]jsonCase, error) {
	cases := []jsonCase{}
	for _, each := range append(jsonValues(), randomValues()...) {
		text, err := json.Marshal(each.value)
		if err != nil {
			return nil, err
		}
		cases = append(cases, jsonCase{Name: each.name, Input: describe(each.value), JSON: string(text)})
	}
	return cases, nil
}

type delayBounds struct {
	// Failures is how many attempts have failed, the last one included.
	Failures   int     `json:"failures"`
	MinSeconds float64 `json:"min_seconds"`
	MaxSeconds float64 `json:"max_seconds"`
}

const delaySamples = 20_000

// retryDelays are the least and the most that River's policy answers in many samples; they vary a little by run.
func retryDelays() []delayBounds {
	policy := &river.DefaultClientRetryPolicy{}
	all := []delayBounds{}
	numbers := []int{}
	for n := 1; n <= 25; n++ {
		numbers = append(numbers, n)
	}
	for _, failures := range append(numbers, 100, 308, 309, 310, 1000) {
		job := &rivertype.JobRow{Errors: make([]rivertype.AttemptError, failures-1)}
		bounds := delayBounds{Failures: failures}
		for sample := range delaySamples {
			before := time.Now()
			seconds := policy.NextRetry(job).Sub(before).Seconds()
			if sample == 0 || seconds < bounds.MinSeconds {
				bounds.MinSeconds = seconds
			}
			if sample == 0 || seconds > bounds.MaxSeconds {
				bounds.MaxSeconds = seconds
			}
		}
		all = append(all, bounds)
	}
	return all
}

type attemptErrorCase struct {
	Name  string                 `json:"name"`
	Input rivertype.AttemptError `json:"input"`
	JSON  string                 `json:"json"`
}

func attemptErrors() ([]attemptErrorCase, error) {
	at := func(nanoseconds int) time.Time { return time.Date(2026, 1, 2, 3, 4, 5, nanoseconds, time.UTC) }
	cases := []attemptErrorCase{
		{Name: "plain", Input: rivertype.AttemptError{At: at(0), Attempt: 1, Error: "two is refused"}},
		{Name: "milliseconds", Input: rivertype.AttemptError{At: at(123_000_000), Attempt: 2, Error: "x"}},
		{Name: "microseconds", Input: rivertype.AttemptError{At: at(123_456_000), Attempt: 3, Error: "x"}},
		{Name: "nanoseconds", Input: rivertype.AttemptError{At: at(123_456_789), Attempt: 25, Error: "x"}},
		{Name: "trailing zeros", Input: rivertype.AttemptError{At: at(120_000_000), Attempt: 32_767, Error: "x"}},
		{Name: "empty", Input: rivertype.AttemptError{At: at(0)}},
		{Name: "panic", Input: rivertype.AttemptError{At: at(1000), Attempt: 1, Error: "boom", Trace: "main.work\n\tmain.go:12\n"}},
		{Name: "markup", Input: rivertype.AttemptError{At: at(0), Attempt: 1, Error: "<b>&amp;</b> \u2028 \"quoted\" \\ \t é 😀"}},
		{Name: "cancelled", Input: rivertype.AttemptError{At: at(0), Attempt: 1, Error: "JobCancelError: there is nobody to send to"}},
		{Name: "remote", Input: rivertype.AttemptError{At: at(0), Attempt: 1, Error: rivertype.ErrJobCancelledRemotely.Error()}},
		{Name: "rescued", Input: rivertype.AttemptError{At: at(0), Attempt: 1, Error: "Stuck job rescued by JobRescuer"}},
	}
	for i := range cases {
		text, err := json.Marshal(cases[i].Input)
		if err != nil {
			return nil, err
		}
		cases[i].JSON = string(text)
	}
	return cases, nil
}

const randomSeed = 20261121

// randomValues are documents of any shape, the same in every run.
func randomValues() []namedValue {
	random := rand.New(rand.NewPCG(randomSeed, 0))
	values := []namedValue{}
	for i := range 120 {
		values = append(values, namedValue{fmt.Sprintf("random %d", i), randomValue(random, 3)})
	}
	return values
}

func randomValue(random *rand.Rand, depth int) any {
	switch choice := random.IntN(9); {
	case choice == 0 && depth > 0:
		list := []any{}
		for range random.IntN(5) {
			list = append(list, randomValue(random, depth-1))
		}
		return list
	case choice <= 2 && depth > 0:
		object := map[string]any{}
		for range random.IntN(5) {
			object[randomText(random)] = randomValue(random, depth-1)
		}
		return object
	case choice == 3:
		return random.Int64() - 1<<62
	case choice == 4:
		return float64(random.Int64N(1<<53)) * []float64{1e-25, 1e-12, 1e-7, 1e-3, 1, 1e6, 1e30, 1e200}[random.IntN(8)]
	case choice == 5:
		return float32(random.NormFloat64())
	case choice == 6:
		return random.IntN(2) == 0
	default:
		return randomText(random)
	}
}

func randomText(random *rand.Rand) string {
	alphabet := []string{"a", "Z", "0", "1", ".", "<", ">", "&", "\"", "\\", "/", "\x00", "\b", "\x1f", "\x7f", "é", "\u2028", "\u2029", "😀", "\xff"}
	var text strings.Builder
	for range random.IntN(7) {
		text.WriteString(alphabet[random.IntN(len(alphabet))])
	}
	return text.String()
}
