package mdm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"schulwart.org/policies/mdm"
)

const head = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">`

func TestRecordedCheckIns(t *testing.T) {
	for file, want := range map[string]mdm.CheckIn{
		"authenticate.plist": {MessageType: mdm.Authenticate, Enrollment: mdm.Enrollment{UDID: "66ADE930-5FDF-5EC4-8429-15640684C489"}, Topic: "com.apple.mgmt.External.1", DeviceName: "iPad", Model: "MK2K3FD", ModelName: "iPad", SerialNumber: "ZRMXJQTTFX"},
		"tokenupdate.plist":  {MessageType: mdm.TokenUpdate, Enrollment: mdm.Enrollment{UDID: "66ADE930-5FDF-5EC4-8429-15640684C489"}, Topic: "com.apple.mgmt.External.1", PushMagic: "fakePushMagic", Token: []byte("token"), UnlockToken: []byte("unlock me"), AwaitingConfiguration: true},
		"status.plist":       {MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: "66ADE930-5FDF-5EC4-8429-15640684C489"}, Endpoint: mdm.EndpointStatus, Data: []byte(`{"StatusItems":{}}`)},
		"tokens.plist":       {MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: "66ADE930-5FDF-5EC4-8429-15640684C489"}, Endpoint: mdm.EndpointTokens},
		"checkout.plist":     {MessageType: mdm.CheckOut, Enrollment: mdm.Enrollment{UDID: "66ADE930-5FDF-5EC4-8429-15640684C489"}, Topic: "com.apple.mgmt.External.1"},
	} {
		t.Run(file, func(t *testing.T) {
			got := checkIn(t, read(t, file))
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("read %+v", got)
			}
			again, err := mdm.Encode(got)
			if err != nil {
				t.Fatal(err)
			}
			if back := checkIn(t, again); !reflect.DeepEqual(back, want) {
				t.Fatalf("after encoding: %+v", back)
			}
		})
	}
}

func TestRecordedResults(t *testing.T) {
	failed, err := mdm.ParseResult(read(t, "error.plist"))
	if err != nil {
		t.Fatal(err)
	}
	if failed.Status != mdm.Error || failed.CommandUUID != "c-1" || len(failed.ErrorChain) != 1 || failed.ErrorChain[0].ErrorCode != 12021 {
		t.Fatalf("read %+v", failed)
	}
	listed, err := mdm.ParseResult(read(t, "profilelist.plist"))
	if err != nil {
		t.Fatal(err)
	}
	var profiles mdm.ProfileListResponse
	if err := listed.Into(&profiles); err != nil {
		t.Fatal(err)
	}
	if len(profiles.ProfileList) != 1 || profiles.ProfileList[0].PayloadIdentifier != "org.schulwart.mode.1" {
		t.Fatalf("read %+v", profiles)
	}
}

func TestEnrollmentIDs(t *testing.T) {
	shared := "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"
	for name, test := range map[string]struct {
		given mdm.Enrollment
		id    string
		err   error
	}{
		"device":                       {mdm.Enrollment{UDID: "A"}, "A", nil},
		"user of a Mac":                {mdm.Enrollment{UDID: "A", UserID: "U"}, "A:U", nil},
		"user of a Shared iPad":        {mdm.Enrollment{UDID: "A", UserID: shared, UserShortName: "mia"}, "A:mia", nil},
		"Shared iPad without a name":   {mdm.Enrollment{UDID: "A", UserID: shared}, "", mdm.ErrNoID},
		"own device":                   {mdm.Enrollment{EnrollmentID: "E"}, "E", nil},
		"user of an own device":        {mdm.Enrollment{EnrollmentID: "E", EnrollmentUserID: "U"}, "E:U", nil},
		"nobody":                       {mdm.Enrollment{}, "", mdm.ErrNoID},
		"a colon would forge a user":   {mdm.Enrollment{UDID: "A:U"}, "", mdm.ErrBadID},
		"control characters":           {mdm.Enrollment{UDID: "A\nB"}, "", mdm.ErrBadID},
		"longer than any id could be":  {mdm.Enrollment{UDID: strings.Repeat("A", 200)}, "", mdm.ErrBadID},
		"user with a colon is no user": {mdm.Enrollment{UDID: "A", UserID: "U:V"}, "", mdm.ErrBadID},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := test.given.ID()
			if id != test.id || !errors.Is(err, test.err) {
				t.Fatalf("got %q, %v", id, err)
			}
		})
	}
}

func TestGarbageIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		data string
		err  error
	}{
		"nothing":                      {"", mdm.ErrEmpty},
		"text":                         {"hello", mdm.ErrPlist},
		"html":                         {"<html><body>oops</body></html>", mdm.ErrPlist},
		"broken off":                   {head + "<dict><key>MessageType</key><string>Authent", mdm.ErrPlist},
		"unknown message":              {head + "<dict><key>MessageType</key><string>Hello</string></dict></plist>", mdm.ErrType},
		"nobody speaks":                {head + "<dict><key>MessageType</key><string>CheckOut</string></dict></plist>", mdm.ErrNoID},
		"a number for a name":          {head + "<dict><key>MessageType</key><integer>1</integer></dict></plist>", mdm.ErrPlist},
		"nested too deep":              {head + strings.Repeat("<array>", 100_000), mdm.ErrPlist},
		"nested behind comments":       {head + strings.Repeat("<array><!--</array>-->", 100_000), mdm.ErrPlist},
		"nested behind quotes":         {head + strings.Repeat(`<array a="/>">`, 100_000), mdm.ErrPlist},
		"binary that refers to itself": {string(binaryPlist([][]byte{{0xa1, 0}}, 0)), mdm.ErrPlist},
		"binary that multiplies":       {string(binaryPlist(laughs(), 0)), mdm.ErrPlist},
		"binary that claims much":      {string(binaryPlist([][]byte{{0x4f, 0x13, 0, 0, 0, 0x10, 0, 0, 0, 0}}, 0)), mdm.ErrPlist},
		"binary root out of reach":     {string(binaryPlist([][]byte{{0x08}}, 1)), mdm.ErrPlist},
		"binary of a trailer alone":    {"bplist00" + strings.Repeat("\xff", 32), mdm.ErrPlist},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := mdm.ParseCheckIn([]byte(test.data)); !errors.Is(err, test.err) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestBinaryCheckIn(t *testing.T) {
	data := binaryPlist([][]byte{{0xd2, 1, 2, 3, 4}, ascii("MessageType"), ascii("UDID"), ascii("CheckOut"), ascii("A-1")}, 0)
	message := checkIn(t, data)
	if message.MessageType != mdm.CheckOut || message.UDID != "A-1" {
		t.Fatalf("read %+v", message)
	}
}

func TestAReportWithUnreadableDetailsKeepsItsCommand(t *testing.T) {
	wrongType := head + `<dict><key>UDID</key><string>A</string><key>Status</key><string>Error</string><key>CommandUUID</key><string>c-1</string><key>ErrorChain</key><string>oops</string></dict></plist>`
	result, err := mdm.ParseResult([]byte(wrongType))
	if err != nil || result.CommandUUID != "c-1" || result.Status != mdm.Error || result.Salvaged {
		t.Fatalf("read %+v, %v", result, err)
	}
	broken := head + `<dict><key>CommandUUID</key><string>c-2</string><key>Status</key><string>Acknowledged</string><key>Data</key><string>` + "\x01"
	result, err = mdm.ParseResult([]byte(broken))
	if err != nil || result.CommandUUID != "c-2" || !result.Salvaged || result.Status != mdm.Error {
		t.Fatalf("salvaged %+v, %v", result, err)
	}
}

func TestCommandsSurviveTheWire(t *testing.T) {
	command := mdm.InstallProfile([]byte("<plist/>"))
	command.CommandUUID = "c-1"
	data, err := mdm.Encode(command)
	if err != nil {
		t.Fatal(err)
	}
	back, err := mdm.ParseCommand(data)
	if err != nil {
		t.Fatal(err)
	}
	if back.RequestType() != mdm.RequestInstallProfile || !bytes.Equal(back.Command["Payload"].([]byte), []byte("<plist/>")) {
		t.Fatalf("read %+v", back)
	}
}

func checkIn(t *testing.T, data []byte) mdm.CheckIn {
	t.Helper()
	message, err := mdm.ParseCheckIn(data)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// binaryPlist writes objects with one-byte references and two-byte offsets.
func binaryPlist(objects [][]byte, root uint64) []byte {
	data := []byte("bplist00")
	var offsets []byte
	for _, object := range objects {
		offsets = binary.BigEndian.AppendUint16(offsets, uint16(len(data)))
		data = append(data, object...)
	}
	table := uint64(len(data))
	data = append(data, offsets...)
	data = append(data, 0, 0, 0, 0, 0, 0, 2, 1)
	data = binary.BigEndian.AppendUint64(data, uint64(len(objects)))
	data = binary.BigEndian.AppendUint64(data, root)
	return binary.BigEndian.AppendUint64(data, table)
}

func ascii(text string) []byte { return append([]byte{0x50 | byte(len(text))}, text...) }

// laughs is a list of 30 levels in which each holds the next ten times.
func laughs() [][]byte {
	var objects [][]byte
	for i := range 30 {
		object := []byte{0xaa}
		for range 10 {
			object = append(object, byte(i+1))
		}
		objects = append(objects, object)
	}
	return append(objects, []byte{0x08})
}

// Our agent's messages are the bulk of all: the fast reader must know them as
// they are written.
func TestWhatTheAgentSendsIsReadFast(t *testing.T) {
	who := mdm.Enrollment{UDID: "6a1f-0001"}
	for name, message := range map[string]any{
		"tokens": mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: who, Endpoint: mdm.EndpointTokens},
		"status": mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: who, Endpoint: mdm.EndpointStatus, Data: bytes.Repeat([]byte(`{"a":1}`), 200)},
	} {
		data, err := mdm.Encode(message)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := mdm.FlatCheckIn(data); !ok {
			t.Errorf("%s is read by the general parser: %s", name, data)
		}
	}
	for name, message := range map[string]mdm.Result{
		"idle": {Enrollment: who, Status: mdm.Idle},
		"done": {Enrollment: who, Status: mdm.Acknowledged, CommandUUID: "01a2", RequestType: "DeviceInformation"},
	} {
		data, err := mdm.Encode(message)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := mdm.FlatResult(data); !ok {
			t.Errorf("%s is read by the general parser: %s", name, data)
		}
	}
}
