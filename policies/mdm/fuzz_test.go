package mdm_test

import (
	"reflect"
	"testing"

	"schulwart.org/policies/mdm"
)

func seeds(f *testing.F) {
	for _, file := range []string{"authenticate.plist", "tokenupdate.plist", "status.plist", "tokens.plist", "checkout.plist", "error.plist", "profilelist.plist"} {
		f.Add(read(f, file))
	}
	f.Add(binaryPlist([][]byte{{0xd2, 1, 2, 3, 4}, ascii("MessageType"), ascii("UDID"), ascii("CheckOut"), ascii("A-1")}, 0))
	f.Add(binaryPlist([][]byte{{0xa1, 0}}, 0))
}

// What was read must survive being written and read again.
func FuzzCheckIn(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		message, err := mdm.ParseCheckIn(data)
		if err != nil {
			return
		}
		again, err := mdm.Encode(message)
		if err != nil {
			t.Fatal(err)
		}
		back, err := mdm.ParseCheckIn(again)
		if err == nil && back.MessageType != message.MessageType {
			t.Fatalf("%q became %q", message.MessageType, back.MessageType)
		}
	})
}

func FuzzResult(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		result, err := mdm.ParseResult(data)
		if err != nil {
			return
		}
		if result.Status != mdm.Idle && result.CommandUUID == "" {
			t.Fatal("a report about no command")
		}
		var profiles mdm.ProfileListResponse
		_ = result.Into(&profiles)
		var information mdm.DeviceInformationResponse
		_ = result.Into(&information)
	})
}

func FuzzCommand(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		command, err := mdm.ParseCommand(data)
		if err == nil && command.RequestType() == "" {
			t.Fatal("a command that asks nothing")
		}
	})
}

// The fast readers must agree with the general one wherever they dare to answer.
func FuzzFlat(f *testing.F) {
	seeds(f)
	for _, text := range []string{
		"<dict><key>MessageType</key><string>DeclarativeManagement</string><key>UDID</key><string>A-1</string><key>Endpoint</key><string>status</string><key>Data</key><data>e30=</data></dict>",
		"<dict><key>MessageType</key><string>DeclarativeManagement</string><key>UDID</key><string>A-1</string><key>Data</key><data>e30</data></dict>",
		"<dict><key>MessageType</key><string>DeclarativeManagement</string><key>UDID</key><data>e30=</data></dict>",
		"<dict><key>Status</key><string>Idle</string><key>UDID</key><string>A-1</string></dict>",
		"<dict><key>Status</key><string>Acknowledged</string><key>CommandUUID</key><string>1</string><key>RequestType</key><string>x</string><key>UDID</key><string>A-1</string></dict>",
	} {
		f.Add([]byte(`<plist version="1.0">` + text + "</plist>"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if fast, ok := mdm.FlatCheckIn(data); ok {
			var general mdm.CheckIn
			agree(t, data, fast, &general)
		}
		if fast, ok := mdm.FlatResult(data); ok {
			var general mdm.Result
			agree(t, data, fast, &general)
		}
	})
}

func agree[T any](t *testing.T, data []byte, fast T, general *T) {
	t.Helper()
	if err := mdm.Decode(data, general); err != nil {
		t.Fatalf("read %+v from %q, which is none: %v", fast, data, err)
	}
	if !reflect.DeepEqual(fast, *general) {
		t.Fatalf("read %+v, not %+v, from %q", fast, *general, data)
	}
}

func BenchmarkTokensMessage(b *testing.B) {
	data := read(b, "tokens.plist")
	for b.Loop() {
		if _, err := mdm.ParseCheckIn(data); err != nil {
			b.Fatal(err)
		}
	}
}
