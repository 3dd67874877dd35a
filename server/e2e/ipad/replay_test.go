package ipad_test

import (
	"context"
	"testing"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/server/e2e/ipad"
	"schulwart.org/server/gateway/gatewaytest"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// caught is a signed message that somebody at the proxy keeps.
type caught struct {
	t         *testing.T
	d         *ipad.IPad
	body      []byte
	signature string
}

func catch(t *testing.T, d *ipad.IPad, message any) caught {
	t.Helper()
	body, err := mdm.Encode(message)
	if err != nil {
		t.Fatal(err)
	}
	return caught{t, d, body, mustSign(t, d, body)}
}

// say sends the message, for the first time or again, and returns the answer.
func (c caught) say() string {
	c.t.Helper()
	answer, err := c.d.PutSigned(context.Background(), c.d.ServerURL(), c.body, c.signature)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(answer)
}

func idle(d *ipad.IPad) mdm.Result {
	return mdm.Result{Enrollment: mdm.Enrollment{UDID: d.UDID}, Status: mdm.Idle}
}

func system(d *ipad.IPad, version string) mdm.CheckIn {
	report := `{"StatusItems":{"device":{"operating-system":{"family":"iPadOS","version":"` + version + `"}}},"Errors":[]}`
	return mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: d.UDID}, Endpoint: mdm.EndpointStatus, Data: []byte(report)}
}

// trace is all that a message of a device can leave behind.
func trace(t *testing.T, r *gatewaytest.Rig) string {
	t.Helper()
	if err := r.Presence.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	var all string
	for _, what := range []string{
		`SELECT last_seen FROM device_states`,
		`SELECT facts FROM device_states`,
		`SELECT COALESCE(SUM(n), 0) FROM contacts`,
		`SELECT state FROM enrolments`,
		`SELECT COUNT(*) FROM commands`,
		`SELECT COALESCE(MAX(state), '') FROM commands`,
		`SELECT COALESCE(SUM(tries), 0) FROM commands`,
		`SELECT COUNT(*) FROM command_reports`,
	} {
		all += storetest.Ask(t, r.Store, what) + "\n"
	}
	return all
}

func TestAReplayChangesNothing(t *testing.T) {
	for name, message := range map[string]func(d *ipad.IPad) any{
		"Authenticate": func(d *ipad.IPad) any {
			return mdm.CheckIn{MessageType: mdm.Authenticate, Enrollment: mdm.Enrollment{UDID: d.UDID}, Topic: "com.apple.mgmt.x", SerialNumber: d.Serial}
		},
		"status report": func(d *ipad.IPad) any { return system(d, "17.0") },
		"tokens": func(d *ipad.IPad) any {
			return mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: d.UDID}, Endpoint: mdm.EndpointTokens}
		},
		"Idle": func(d *ipad.IPad) any { return idle(d) },
		"NotNow": func(d *ipad.IPad) any {
			return mdm.Result{Enrollment: mdm.Enrollment{UDID: d.UDID}, Status: mdm.NotNow, CommandUUID: "unknown"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T, s *store.Store) {
				r := gatewaytest.Start(t, s)
				ctx := context.Background()
				d := enrolled(t, r, 1)
				message := catch(t, d, message(d))
				message.say()
				r.Later(2 * time.Minute)
				d.Name = "renamed" // another TokenUpdate
				if err := d.TokenUpdate(ctx); err != nil {
					t.Fatal(err)
				}
				if err := d.Connect(ctx); err != nil {
					t.Fatal(err)
				}
				catch(t, d, system(d, "18.2")).say()
				send(t, r, d, mdm.ProfileList(), time.Time{})
				before := trace(t, r)
				// While the digest is remembered, after it is forgotten, and after a
				// restart in between, which forgets whatever is in memory.
				for range 3 {
					r.Later(8 * time.Minute)
					if answer := message.say(); answer != "" {
						t.Fatalf("learned %s", answer)
					}
					r.CheckIn.Forget(r.School.Authority, deviceOf(t, r, d))
				}
				if after := trace(t, r); after != before {
					t.Fatalf("before\n%safter\n%s", before, after)
				}
				if err := d.Connect(ctx); err != nil {
					t.Fatal(err)
				}
				if got := storetest.Ask(t, s, `SELECT COUNT(*) FROM commands`); got != "0" {
					t.Fatalf("%s commands wait for the device itself", got)
				}
			})
		})
	}
}

// A message that was held back and never arrived is no replay, but as bad.
func TestAMessageThatComesAfterLaterOnesIsNotObeyed(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	d := enrolled(t, r, 1)
	held := catch(t, d, mdm.CheckIn{MessageType: mdm.CheckOut, Enrollment: mdm.Enrollment{UDID: d.UDID}})
	r.Later(time.Hour)
	if err := d.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	held.say()
	if got := storetest.Ask(t, r.Store, `SELECT state FROM enrolments`); got != "enrolled" {
		t.Fatalf("the device is %s", got)
	}
}

// An iPad that is woken twice within a second signs the same Idle twice.
func TestADeviceMaySayTheSameTwiceInASecond(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	d := enrolled(t, r, 1)
	if err := d.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.Later(time.Minute)
	first := catch(t, d, idle(d))
	if answer := first.say(); answer != "" {
		t.Fatalf("nothing waits, answered %s", answer)
	}
	send(t, r, d, mdm.ProfileList(), time.Time{})
	before := trace(t, r)
	answer := first.say()
	if command, err := mdm.ParseCommand([]byte(answer)); err != nil || command.RequestType() != "ProfileList" {
		t.Fatalf("answered %s, %v", answer, err)
	}
	if after := trace(t, r); after != before {
		t.Fatalf("before\n%safter\n%s", before, after)
	}
}

func TestADeviceThatDoesNotSayWhenItSigned(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	d := enrolled(t, r, 1)
	if err := d.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	timeless := func(message any) caught {
		c := catch(t, d, message)
		var err error
		if c.signature, err = d.SignTimeless(c.body); err != nil {
			t.Fatal(err)
		}
		return c
	}
	timeless(idle(d)).say()
	timeless(system(d, "17.0")).say()
	timeless(system(d, "18.2")).say()
	r.Later(24 * time.Hour)
	send(t, r, d, mdm.ProfileList(), time.Time{})
	before := trace(t, r)
	timeless(system(d, "17.0")).say()
	answer := timeless(idle(d)).say()
	if command, err := mdm.ParseCommand([]byte(answer)); err != nil || command.RequestType() != "ProfileList" {
		t.Fatalf("it no longer hears of its commands: %s, %v", answer, err)
	}
	if after := trace(t, r); after != before {
		t.Fatalf("before\n%safter\n%s", before, after)
	}
}

func TestWhatIsRememberedOfSignedMessagesDoesNotGrow(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		r := gatewaytest.Start(t, s)
		d := enrolled(t, r, 1)
		for range 60 {
			r.Later(5 * time.Minute)
			if err := d.Connect(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if got := storetest.Ask(t, s, `SELECT CASE WHEN COUNT(*) BETWEEN 1 AND 6 THEN 'few' ELSE 'many' END FROM signed_messages`); got != "few" {
			t.Fatal(storetest.Ask(t, s, `SELECT COUNT(*) FROM signed_messages`), "are remembered")
		}
	})
}

func TestAnIPadWhoseClockRanAheadIsHeardWhenItIsPutRight(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	ctx := context.Background()
	d := enrolled(t, r, 1)
	d.Now = func() time.Time { return r.Now().Add(48 * time.Hour) }
	early := catch(t, d, system(d, "17.0"))
	early.say()
	d.Now = r.Now
	send(t, r, d, mdm.ProfileList(), time.Time{})
	if err := d.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if got := storetest.Ask(t, r.Store, `SELECT COUNT(*) FROM commands`); got != "0" {
		t.Fatalf("%s commands wait for it still", got)
	}
	for range 5 {
		r.Later(12 * time.Hour)
		if err := d.Connect(ctx); err != nil {
			t.Fatal(err)
		}
	}
	catch(t, d, system(d, "18.2")).say()
	before := trace(t, r)
	early.say()
	if after := trace(t, r); after != before {
		t.Fatalf("before\n%safter\n%s", before, after)
	}
}

// A proxy may send a message again that the server could not take.
func TestAMessageThatFoundTheStoreInTroubleMayBeSaidAgain(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	d := enrolled(t, r, 1)
	report := catch(t, d, system(d, "18.2"))
	storetest.Exec(t, r.Store, `ALTER TABLE device_states RENAME TO gone`)
	if _, err := d.PutSigned(context.Background(), d.ServerURL(), report.body, report.signature); err == nil {
		t.Fatal("taken")
	}
	storetest.Exec(t, r.Store, `ALTER TABLE gone RENAME TO device_states`)
	report.say()
	if got := storetest.Ask(t, r.Store, `SELECT COUNT(*) FROM device_states WHERE facts LIKE '%18.2%'`); got != "1" {
		t.Fatal("lost")
	}
}

// What an idle poll costs that is known by its signature alone: one commit, and
// the reading of the signature.
func BenchmarkSignedIdle(b *testing.B) {
	r := gatewaytest.Start(b, storetest.Open(b))
	ctx := context.Background()
	var ahead time.Duration
	d := fresh(r, 1)
	d.Now = func() time.Time { return r.Now().Add(ahead) }
	if err := d.Enrol(ctx, link(r.Token(1).URL)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		ahead += time.Second
		if err := d.Connect(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
