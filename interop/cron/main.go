// Command cron prints when robfig/cron, whose expressions Go applications give to River's periodic jobs, says that
// schedules are due: the goldens that our own schedules are compared with. Run it with TZ=UTC.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

const timesEach = 6

type golden struct {
	Schedule string   `json:"schedule"`
	Zone     string   `json:"zone"`
	Start    string   `json:"start"`
	Error    bool     `json:"error,omitempty"`
	Next     []string `json:"next"`
}

type group struct {
	zone      string
	starts    []string
	schedules []string
}

var groups = []group{
	{"UTC", []string{"2026-01-02T03:04:05Z", "2027-12-31T23:59:30Z"}, []string{
		"* * * * *", "*/5 * * * *", "7 * * * *", "0 0 * * *", "30 2 * * *", "0 9-17 * * 1-5", "0 0 1 * *",
		"0 0 31 * *", "0 0 29 2 *", "0 0 13 * 5", "0 0 13 * *", "0 0 * * 5", "0 0 */2 * 1", "0 0 */2 * *",
		"0 0 1-7 * MON", "15,45 6,18 * jan,Jul *", "0 12 * * SUN", "5/20 * * * *", "10-30/10 4 * * *", "0 0 1 */3 *",
		"0 0 ? * 3", "0 0 31 2 *", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
		"@every 1h30m", "@every 90s", "@every 1500ms", "@every 0.5h", "@every 1h1m1s", "@every 10ms", "0 0 * * 0-6/2",
		"59 23 31 12 *", "*/7 */5 * * *",
	}},
	{"UTC", []string{"2026-01-02T03:04:05.678901Z"}, []string{"* * * * *", "@every 1m", "@every 2500ms", "0 4 * * *"}},
	{"UTC", []string{"2026-01-02T03:04:05Z"}, []string{
		"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 7",
		"5-1 * * * *", "*/0 * * * *", "a * * * *", "* * * foo *", "1-2-3 * * * *", "1/2/3 * * * *", "@fortnightly",
		"@every", "@every x", "@every 5", "-1 * * * *", "1,,2 * * * *", "TZ=Nowhere/City 0 0 * * *", "@every -5s", "@every 1d",
		"* * * * mon-fri", "CRON_TZ=Asia/Tokyo 0 6 * * *", "TZ=America/New_York 30 2 * * *", "CRON_TZ=UTC @daily",
		"CRON_TZ=Asia/Kolkata @daily", "@DAILY", "0  0 *  * *", " 0 0 * * * ", "*,5 * * * *", "0-59 * * * *",
		"0 0 1-31 * 1", "0 0 * * 0-6", "*-5 * * * *", "5- * * * *", "0x5 * * * *", "+5 * * * *", "08 * * * *",
		"1, * * * *", ", * * * *", "0 0 1 1-12/5 *", "3-3 * * * *", "0 0 ? * ?", "*/100 * * * *", "5/100 * * * *",
	}},
	{"Europe/Berlin", []string{"2026-03-28T12:00:00Z", "2026-03-29T00:30:00Z", "2026-10-24T12:00:00Z", "2026-10-25T00:10:00Z", "2026-10-25T00:59:59Z"}, []string{
		"30 2 * * *", "0 2 * * *", "0 3 * * *", "30 1 * * *", "0 * * * *", "*/30 * * * *", "0 */2 * * *", "0 0 * * *",
		"@daily", "@every 1h", "30 2 29 3 *", "15 2-3 * * 0",
	}},
	{"America/New_York", []string{"2026-03-07T18:00:00Z", "2026-03-08T06:30:00Z", "2026-10-31T18:00:00Z", "2026-11-01T05:10:00Z", "2026-11-01T06:00:00Z"}, []string{
		"30 2 * * *", "30 1 * * *", "0 2 * * *", "0 1 * * *", "0 * * * *", "*/20 1-2 * * *", "0 0 * * *", "0 0 1 * *",
		"0 5,17 * * 1-5", "@hourly", "@weekly",
	}},
	{"Australia/Lord_Howe", []string{"2026-04-04T12:00:00Z", "2026-10-03T12:00:00Z"}, []string{
		"*/15 1-2 * * *", "0 2 * * *", "30 1 * * *", "0 0 * * *", "0 * * * *",
	}},
	{"America/Sao_Paulo", []string{"2018-11-03T12:00:00Z", "2018-02-17T12:00:00Z"}, []string{
		"0 0 * * *", "30 0 * * *", "30 23 * * *", "0 * * * *", "0 0 * * 0", "0 0 1 * *", "0 0 4 11 *", "@daily",
	}},
	{"Africa/Cairo", []string{"2026-04-23T12:00:00Z", "2026-10-29T12:00:00Z"}, []string{
		"0 0 * * *", "30 0 * * *", "30 23 * * *", "0 0 * * 5",
	}},
	{"Asia/Kathmandu", []string{"2026-01-02T03:04:05Z"}, []string{"0 0 * * *", "*/15 * * * *", "0 0 1 1 *"}},
	// A whole day is missing here; on an expression for that very day robfig/cron 3.0.1 does not return.
	{"Pacific/Apia", []string{"2011-12-29T00:00:00Z"}, []string{"0 0 * * *"}},
}

func main() {
	goldens := []golden{}
	for _, g := range groups {
		zone, err := time.LoadLocation(g.zone)
		if err != nil {
			panic(err)
		}
		for _, start := range g.starts {
			at, err := time.Parse(time.RFC3339Nano, start)
			if err != nil {
				panic(err)
			}
			for _, text := range g.schedules {
				goldens = append(goldens, ask(text, g.zone, start, at.In(zone)))
			}
		}
	}
	print(goldens)
}

func ask(text, zone, start string, at time.Time) golden {
	answer := golden{Schedule: text, Zone: zone, Start: start, Next: []string{}}
	schedule, err := parse(text)
	if err != nil {
		answer.Error = true
		return answer
	}
	for range timesEach {
		at = schedule.Next(at)
		if at.IsZero() {
			break
		}
		answer.Next = append(answer.Next, at.UTC().Format(time.RFC3339Nano))
	}
	return answer
}

// parse takes what the parser panics about for a refusal, too.
func parse(text string) (schedule cron.Schedule, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	return cron.ParseStandard(text)
}

func print(goldens []golden) {
	versions := map[string]string{"go": runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			versions[dependency.Path] = dependency.Version
		}
	}
	fmt.Printf("{\n  \"versions\": %s,\n  \"goldens\": [\n", line(versions))
	for i, one := range goldens {
		comma := ","
		if i == len(goldens)-1 {
			comma = ""
		}
		fmt.Printf("    %s%s\n", line(one), comma)
	}
	fmt.Println("  ]\n}")
	if len(goldens) == 0 {
		os.Exit(1)
	}
}

func line(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
