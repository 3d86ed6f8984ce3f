package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

type namedValue struct {
	name  string
	value any
}

type nested struct {
	Z int    `json:"z"`
	A string `json:"a"`
}

type everything struct {
	ID      int64          `json:"id"`
	Name    string         `json:"name"`
	Ratio   float64        `json:"ratio"`
	Flag    bool           `json:"flag"`
	Nested  nested         `json:"nested"`
	Missing *string        `json:"missing"`
	Omitted string         `json:"omitted,omitempty"`
	At      time.Time      `json:"at"`
	Bytes   []byte         `json:"bytes"`
	Map     map[string]int `json:"map"`
	List    []any          `json:"list"`
}

func sample() everything {
	return everything{
		ID: 42, Name: "a<b>", Ratio: 0.1, Flag: true, Nested: nested{Z: 1, A: "x"}, At: moment(123_000_000),
		Bytes: []byte("hello, <bytes>"), Map: map[string]int{"b": 2, "a": 1, "10": 10, "9": 9}, List: []any{1, "two", nil, 3.5},
	}
}

func moment(nanoseconds int) time.Time { return time.Date(2026, 1, 2, 3, 4, 5, nanoseconds, time.UTC) }

func jsonValues() []namedValue {
	values := []namedValue{
		{"null", nil}, {"true", true}, {"false", false}, {"empty text", ""}, {"empty object", map[string]any{}},
		{"empty list", []any{}}, {"text", "hello"}, {"quotes and backslashes", `"\`}, {"slash", "a/b"},
		{"markup", "<script>&amp;</script>"}, {"separators", "\u2028 and \u2029"}, {"short escapes", "\b\f\n\r\t"},
		{"NUL", "a\x00b"}, {"DEL", "\x7f"}, {"accents", "é ü ß"}, {"emoji", "😀👨‍👩‍👧"}, {"BOM", "\ufeff"},
		{"replacement character", "\ufffd"}, {"half a pair", "a\xffb"}, {"noncharacter", "\uffff"},
		{"integer-like keys", map[string]any{"10": 1, "9": 2, "1": 3, "a": 4}}, {"keys to escape", map[string]any{"<a>": 1, "b\"": 2, "é": 3}},
		{"keys in order of bytes", map[string]any{"Z": 1, "a": 2, "é": 3, "😀": 4, "\uffee": 5, "_": 6}},
		{"struct keeps its order", nested{Z: 1, A: "x"}}, {"everything", sample()},
		{"nested", map[string]any{"z": map[string]any{"b": []any{map[string]any{"y": 1, "x": nil}}, "a": ""}, "a": 0}},
		{"seconds", moment(0)}, {"milliseconds", moment(123_000_000)}, {"hundreds", moment(100_000_000)},
		{"bytes", []byte{0, 1, 2, 253, 254, 255}}, {"no bytes", []byte{}}, {"bytes with padding", []byte("ab")},
	}
	for code := range 32 {
		values = append(values, namedValue{fmt.Sprintf("control %d", code), string(rune(code))})
	}
	for _, number := range []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 0.2 + 0.1, 1.5, 100, 1e5, 1e6, 1e20, 1e21, 1e22, -1e21, 123456789012345680000, 1e-5, 1e-6, 1e-7,
		0.000001234, 1.234e-7, -1e-7, 5e-324, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53, 1<<53 + 2, 4.35, 1.0 / 3,
		2.2250738585072014e-308, 9007199254740993, 999999999999999900000, 0.1 + 0.7, 1e100, 1.7976931348623157e308, 3.141592653589793,
	} {
		values = append(values, namedValue{"float " + strconv.FormatFloat(number, 'g', -1, 64), number})
	}
	for _, number := range []int64{0, 1, -1, 1 << 53, 1<<53 + 1, -(1<<53 + 1), math.MaxInt64, math.MinInt64, math.MaxInt32} {
		values = append(values, namedValue{"int " + strconv.FormatInt(number, 10), number})
	}
	return append(values, namedValue{"uint64 max", uint64(math.MaxUint64)})
}

const exactInteger = 1 << 53

// describe writes what a caller in TypeScript passes for a value: JSON, and for what JSON cannot say an object with one
// key that starts with a dollar: $bigint, $number (-0), $time, $bytes (base64), $pairs (an object in order whose keys an
// engine would sort), $utf16 (a text with half a surrogate pair for what is not UTF-8).
func describe(value any) json.RawMessage {
	switch given := value.(type) {
	case nil:
		return json.RawMessage("null")
	case json.RawMessage:
		return given
	case time.Time:
		return tagged("time", given.Format(time.RFC3339Nano))
	case []byte:
		return tagged("bytes", base64.StdEncoding.EncodeToString(given))
	case rawArgs:
		return given.json
	case anyArgs:
		return describe(given.value)
	}
	reflected := reflect.ValueOf(value)
	switch reflected.Kind() {
	case reflect.Int, reflect.Int64, reflect.Int32:
		return describeInteger(strconv.FormatInt(reflected.Int(), 10), reflected.Int() > exactInteger || reflected.Int() < -exactInteger)
	case reflect.Uint64:
		return describeInteger(strconv.FormatUint(reflected.Uint(), 10), reflected.Uint() > exactInteger)
	case reflect.Float64, reflect.Float32:
		return describeFloat(value)
	case reflect.String:
		return describeText(reflected.String())
	case reflect.Pointer:
		if reflected.IsNil() {
			return json.RawMessage("null")
		}
		return describe(reflected.Elem().Interface())
	case reflect.Slice:
		return describeList(reflected)
	case reflect.Map, reflect.Struct:
		return describeObject(entriesOf(reflected))
	default:
		return must(json.Marshal(value))
	}
}

func tagged(tag string, value any) json.RawMessage {
	return must(json.Marshal(map[string]any{"$" + tag: value}))
}

// must is for what cannot fail: the values are our own.
func must(text []byte, err error) json.RawMessage {
	if err != nil {
		panic(err)
	}
	return text
}

func describeInteger(text string, isLarge bool) json.RawMessage {
	if isLarge {
		return tagged("bigint", text)
	}
	return json.RawMessage(text)
}

// describeFloat passes what the same digits are as a number of JavaScript; a float32 has fewer.
func describeFloat(value any) json.RawMessage {
	text := string(must(json.Marshal(value)))
	if text == "-0" {
		return tagged("number", text)
	}
	return json.RawMessage(text)
}

func describeText(text string) json.RawMessage {
	if utf8.ValidString(text) {
		return must(json.Marshal(text))
	}
	units := []int{}
	for len(text) > 0 {
		read, size := utf8.DecodeRuneInString(text)
		if read == utf8.RuneError && size == 1 {
			read = 0xd800
		}
		if read > 0xffff {
			units = append(units, int(0xd800+(read-0x10000)>>10), int(0xdc00+(read-0x10000)&0x3ff))
		} else {
			units = append(units, int(read))
		}
		text = text[size:]
	}
	return tagged("utf16", units)
}

func describeList(list reflect.Value) json.RawMessage {
	parts := []string{}
	for i := range list.Len() {
		parts = append(parts, string(describe(list.Index(i).Interface())))
	}
	return json.RawMessage("[" + strings.Join(parts, ",") + "]")
}

type entry struct {
	key   string
	value any
}

// entriesOf lists a map in Go's order of keys, and a struct in its own, without what `omitempty` leaves out.
func entriesOf(value reflect.Value) []entry {
	entries := []entry{}
	if value.Kind() == reflect.Map {
		for _, key := range value.MapKeys() {
			entries = append(entries, entry{key.String(), value.MapIndex(key).Interface()})
		}
		slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
		return entries
	}
	for i := range value.NumField() {
		name, options, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		if options == "omitempty" && value.Field(i).IsZero() {
			continue
		}
		entries = append(entries, entry{name, value.Field(i).Interface()})
	}
	return entries
}

func describeObject(entries []entry) json.RawMessage {
	isPlain := true
	for _, each := range entries {
		if _, err := strconv.ParseUint(each.key, 10, 32); err == nil || !utf8.ValidString(each.key) || each.key == "__proto__" {
			isPlain = false
		}
	}
	parts := []string{}
	for _, each := range entries {
		key, value := string(describe(each.key)), string(describe(each.value))
		if isPlain {
			parts = append(parts, key+":"+value)
		} else {
			parts = append(parts, "["+key+","+value+"]")
		}
	}
	if isPlain {
		return json.RawMessage("{" + strings.Join(parts, ",") + "}")
	}
	return json.RawMessage(`{"$pairs":[` + strings.Join(parts, ",") + "]}")
}
