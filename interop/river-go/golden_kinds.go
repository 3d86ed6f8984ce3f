package main

import (
	"encoding/json"
	"time"
)

// anyArgs are arguments of which all count.
type anyArgs struct {
	kind  string
	value any
}

func (a anyArgs) Kind() string { return a.kind }

func (a anyArgs) MarshalJSON() ([]byte, error) { return json.Marshal(a.value) }

// The types below mark the fields that count, as an application in Go does.

type uniqueFile struct {
	FileID string `json:"file_id" river:"unique"`
	Size   int64  `json:"size" river:"unique"`
	Note   string `json:"note"`
}

func (uniqueFile) Kind() string { return "unique_file" }

type account struct {
	ID     string `json:"id" river:"unique"`
	Region string `json:"region" river:"unique"`
	Note   string `json:"note"`
}

type uniqueAccount struct {
	Account account `json:"account"`
	Path    string  `json:"path/key" river:"unique"`
	Trace   string  `json:"trace"`
}

func (uniqueAccount) Kind() string { return "unique_account" }

type uniqueOptional struct {
	Label  *string `json:"label" river:"unique"`
	Number *int64  `json:"number,omitempty" river:"unique"`
	Other  string  `json:"other"`
}

func (uniqueOptional) Kind() string { return "unique_optional" }

type uniqueAllOmitted struct {
	First  string `json:"first,omitempty" river:"unique"`
	Second string `json:"second,omitempty" river:"unique"`
	Other  string `json:"other"`
}

func (uniqueAllOmitted) Kind() string { return "unique_all_omitted" }

type uniqueWhole struct {
	Account plainAccount `json:"account" river:"unique"`
	Trace   string       `json:"trace"`
}

func (uniqueWhole) Kind() string { return "unique_whole" }

type plainAccount struct {
	Zone string `json:"zone"`
	ID   string `json:"id"`
}

type uniqueExotic struct {
	At    time.Time      `json:"at" river:"unique"`
	Bytes []byte         `json:"bytes" river:"unique"`
	Ratio float64        `json:"ratio" river:"unique"`
	Big   int64          `json:"big" river:"unique"`
	Map   map[string]any `json:"map" river:"unique"`
	Text  string         `json:"text" river:"unique"`
	Note  string         `json:"note"`
}

func (uniqueExotic) Kind() string { return "unique_exotic" }

type uniqueOrder struct {
	Zebra  int `json:"zebra" river:"unique"`
	Apple  int `json:"apple" river:"unique"`
	Middle int `json:"Middle" river:"unique"`
}

func (uniqueOrder) Kind() string { return "unique_order" }

// fieldsOf names, as paths, what the types above mark.
var fieldsOf = map[string][]string{
	uniqueFile{}.Kind():       {"file_id", "size"},
	uniqueAccount{}.Kind():    {"account.id", "account.region", "path/key"},
	uniqueOptional{}.Kind():   {"label", "number"},
	uniqueAllOmitted{}.Kind(): {"first", "second"},
	uniqueWhole{}.Kind():      {"account"},
	uniqueExotic{}.Kind():     {"at", "bytes", "ratio", "big", "map", "text"},
	uniqueOrder{}.Kind():      {"zebra", "apple", "Middle"},
}
