package seb

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"schulwart.org/policies/lease"
)

func rules() lease.Rules {
	return lease.Rules{
		Sites: []string{"geogebra.org"},
		Exam:  &lease.Examination{Title: "Mathematik 10a", Page: "https://lernen.example/pruefung?kurs=10a"},
	}
}

func settings(t *testing.T, r lease.Rules) Settings {
	t.Helper()
	s, err := From(r, "dahlie-17", []byte("a salt of this examination"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatAnExaminationDoesNotOpenIsClosed(t *testing.T) {
	s := settings(t, rules())
	for key, want := range map[string]any{
		"startURL": "https://lernen.example/pruefung?kurs=10a", "URLFilterEnable": true, "enablePrivateClipboard": true,
		"allowPrint": false, "allowSpellCheck": false, "allowSiri": false, "enablePrintScreen": false, "allowVirtualMachine": false,
		"allowedDisplaysMaxNumber": 1, "allowQuit": true, "insideSebEnableEaseOfAccess": true, "browserWindowAllowReload": true,
		// printf dahlie-17 | sha256sum
		"hashedQuitPassword": "ef9200d7dfe5aae46c66f3d913709467110242c3262c1fcb392f22ebf62c1986",
	} {
		if s[key] != want {
			t.Errorf("%s is %v, want %v", key, s[key], want)
		}
	}
	var allowed []string
	for _, rule := range s["URLFilterRules"].([]any) {
		allowed = append(allowed, rule.(Settings)["expression"].(string))
	}
	if got := strings.Join(allowed, " "); got != "geogebra.org geogebra.org/* lernen.example lernen.example/*" {
		t.Errorf("allowed is %s", got)
	}
	open := rules()
	open.Exam.Clipboard, open.Exam.Printing, open.Exam.Spelling, open.Exam.Aids = true, true, true, []string{}
	s = settings(t, open)
	if s["enablePrivateClipboard"] != false || s["allowPrint"] != true || s["allowSpellCheck"] != true || s["insideSebEnableEaseOfAccess"] != false {
		t.Error("what the examination opens, or takes away by name, is not said")
	}
}

func TestThereIsAlwaysAPageAndAWayOut(t *testing.T) {
	if _, err := From(lease.Rules{Exam: &lease.Examination{}}, "x", nil); !errors.Is(err, ErrNoPage) {
		t.Errorf("without a page: %v", err)
	}
	if _, err := From(rules(), "", nil); !errors.Is(err, ErrNoQuit) {
		t.Errorf("without a way out: %v", err)
	}
}

func TestFilesAreReadBack(t *testing.T) {
	s := settings(t, rules())
	key := ConfigKey(s)
	open, err := Plain(s)
	if err != nil {
		t.Fatal(err)
	}
	closed, err := Sealed(s, "päßwort", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(closed, []byte("lernen.example")) {
		t.Error("the sealed file shows the page")
	}
	for name, file := range map[string][]byte{"plain": open, "sealed": closed} {
		back, err := Read(file, "päßwort")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if back["startURL"] != s["startURL"] || !reflect.DeepEqual(back["examKeySalt"], s["examKeySalt"]) {
			t.Errorf("%s: read back as %v", name, back)
		}
		// The program computes the key from the file; both must agree.
		if got := ConfigKey(back); got != key {
			t.Errorf("%s: the key of the file is %s, of the settings %s", name, got, key)
		}
	}
	if _, err := Read(closed, "passwort"); !errors.Is(err, ErrPassword) {
		t.Errorf("with another password: %v", err)
	}
}

// Vectors of the format's authors: https://github.com/RNCryptor/RNCryptor-Spec
func TestTheSealIsTheFormatsOwn(t *testing.T) {
	for _, v := range []struct{ password, plain, sealed string }{
		{"a", "", "03010000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 0000b303 9be31cd7 ece5e754 f5c8da17 00366631 3ae8a89d dcf8e3cb 41fdc130 b2329dbe 07d6f4d3 2c34e050 c8bd7e93 3b12"},
		{"thepassword", "0123456789abcdef", "03010102 03040506 07000203 04050607 08010304 05060708 090a0b0c 0d0e0f00 01020e43 7fe80930 9c03fd53 a475131e 9a1978b8 eaef576f 60adb8ce 2320849b a32d7429 00438ba8 97d22210 c76c35c8 49df"},
		{"中文密码", "23456789abcdef0123456701", "03010304 05060700 01020405 06070801 02030506 0708090a 0b0c0d0e 0f000102 03048a9e 08bdec1c 4bfe13e8 1fb85f00 9ab3ddb9 1387e809 c4ad86d9 e8a60145 57716657 bd317d4b b6a76446 15b3de40 2341"},
	} {
		data, err := hex.DecodeString(strings.ReplaceAll(v.sealed, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		got, err := open(data, v.password)
		if err != nil || hex.EncodeToString(got) != v.plain {
			t.Errorf("%s: %x (%v), want %s", v.password, got, err, v.plain)
		}
		data[len(data)-40] ^= 1
		if _, err := open(data, v.password); err == nil {
			t.Errorf("%s: changed, and opened", v.password)
		}
	}
}

// The order and the form of the documentation's example.
func TestTheKeysTextIsAsDocumented(t *testing.T) {
	var out strings.Builder
	write(&out, Settings{
		"URLFilterRules": []any{Settings{"regex": false, "expression": `a\b/"c"`, "active": true, "action": 1}}, "urlFilterRegex": true, "URLFilterMessage": 1,
		"examKeySalt": []byte{0x7f, 0x0c}, "URLFilterIgnoreList": []any{}, "proxies": Settings{}, "allowPDFPlugIn": false, "enableF2": false, "enableF12": true,
	})
	const want = `{"allowPDFPlugIn":false,"enableF12":true,"enableF2":false,"examKeySalt":"fww=","URLFilterIgnoreList":[],"URLFilterMessage":1,"urlFilterRegex":true,` +
		`"URLFilterRules":[{"action":1,"active":true,"expression":"a\b/"c"","regex":false}]}`
	if out.String() != want {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
	s := settings(t, rules())
	key := ConfigKey(s)
	s["originatorVersion"] = "another"
	if ConfigKey(s) != key {
		t.Error("who wrote the file changes its key")
	}
	s["allowPrint"] = true
	if ConfigKey(s) == key {
		t.Error("another rule has the same key")
	}
	if got := RequestHash("https://lernen.example/a#b", key); got != RequestHash("https://lernen.example/a", key) || len(got) != 64 {
		t.Errorf("the hash of a request is %s", got)
	}
}

func TestTheLinkStartsTheProgram(t *testing.T) {
	if got := Link("https://schulwart.example/seb/x.seb"); got != "sebs://schulwart.example/seb/x.seb" {
		t.Error(got)
	}
	if got := Link("http://127.0.0.1:8080/seb/x.seb"); got != "seb://127.0.0.1:8080/seb/x.seb" {
		t.Error(got)
	}
}

func FuzzRead(f *testing.F) {
	s, err := From(rules(), "x", []byte("salt"))
	if err != nil {
		f.Fatal(err)
	}
	open, _ := Plain(s)
	closed, _ := Sealed(s, "p", rand.Reader)
	f.Add(open)
	f.Add(closed)
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if s, err := Read(file, "p"); err == nil {
			_ = ConfigKey(s)
		}
	})
}
