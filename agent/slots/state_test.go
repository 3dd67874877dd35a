package slots

import (
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/version"
)

// Whatever happens in whatever order, one program that can start is chosen, none is
// tried twice on one word, and none comes back that is older than a floor that was
// stepped over.
func TestWhateverHappensAWorkingAgentRuns(t *testing.T) {
	versions := []string{"0.1", "0.2", "0.3", "0.4", "0.5"}
	rapid.Check(t, func(t *rapid.T) {
		s, base := State{}, "0.1"
		good := map[string]bool{} // versions that start at all
		tried := map[Order]int{}
		order := Order{Rollout: "r"}
		versionOf := func(p Place) string {
			if p == Base {
				return base
			}
			return s.Programs[p].Version
		}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			running := versionOf(s.Runs)
			switch rapid.IntRange(0, 8).Draw(t, "what") {
			case 0: // a rollout's word
				v := rapid.SampledFrom(versions).Draw(t, "version")
				floor := rapid.SampledFrom(versions).Draw(t, "floor")
				if s.Trial != nil || !version.Older(running, v) || version.Older(running, floor) || version.Older(v, floor) {
					continue
				}
				order.Try++
				good[v] = rapid.Bool().Draw(t, "good")
				runs := s.Runs
				p := s.Free()
				if p == runs || p == Base {
					t.Fatalf("the place of what runs was made free: %q", p)
				}
				s.Try(p, Program{Version: v}, floor, order)
				tried[order]++
			case 1:
				if s.Trial == nil && s.Former != nil {
					order.Try++
					before := versionOf(*s.Former)
					if s.Back(base, order) && s.Floor != "" && version.Older(before, s.Floor) {
						t.Fatalf("%s comes back below the floor %s", before, s.Floor)
					}
				}
			case 2:
				if s.Trial != nil && (s.Trial.Back || good[versionOf(s.Trial.Place)]) {
					s.Proven(s.Trial.Place)
				}
			case 3:
				if s.Trial != nil && good[versionOf(s.Trial.Place)] {
					s.Stood()
				}
			case 4:
				s.Stopped()
			case 5:
				s.Missed()
			case 6:
				if v := rapid.SampledFrom(versions).Draw(t, "installed"); version.Older(base, v) {
					base = v
				}
				s.Settle(base)
			case 7: // a disk that loses what runs
				if s.Runs != Base && rapid.IntRange(0, 9).Draw(t, "disk") == 0 {
					s.Broken(s.Runs, "gone")
				}
			}
			// Every start ends with a program that can start, within a few.
			for starts := 0; ; starts++ {
				if starts > mostStarts+1 {
					t.Fatalf("after %d starts nothing runs that can: %+v", starts, s)
				}
				s.Settle(base)
				p := s.Next()
				if p == Base || s.Trial == nil || s.Trial.Back || good[versionOf(p)] {
					break
				}
				if rapid.Bool().Draw(t, "exec") {
					s.Broken(p, "exec format error")
				}
			}
			if s.Trial != nil && s.Trial.Place == s.Runs {
				t.Fatalf("what runs is on trial: %+v", s)
			}
		}
		for word, n := range tried {
			if n > 1 {
				t.Fatalf("%v was tried %d times", word, n)
			}
		}
	})
}

func TestAProgramThatCrashesIsLeftAfterSomeStarts(t *testing.T) {
	var s State
	order := Order{Rollout: "r", Try: 1}
	s.Try(s.Free(), Program{Version: "0.2"}, "0.1", order)
	for range mostStarts {
		if got := s.Next(); got != A {
			t.Fatalf("starts %q", got)
		}
	}
	if got := s.Next(); got != Base {
		t.Fatalf("after %d starts it starts %q", mostStarts, got)
	}
	f, is := s.Failure(order)
	if !is || f.Reason.Code != "package.agent-crash" || f.Version != "0.2" {
		t.Errorf("%+v", f)
	}
	if _, is := s.Failure(Order{Rollout: "r", Try: 2}); is {
		t.Error("a higher try failed before it was made")
	}
}

func TestALaptopThatIsSwitchedOffBetweenIsNotCounted(t *testing.T) {
	var s State
	s.Try(s.Free(), Program{Version: "0.2"}, "0.1", Order{})
	for range 50 {
		if s.Next() != A {
			t.Fatal("a program that is only ended returned")
		}
		s.Stopped()
	}
	for range 50 {
		if s.Next() != A {
			t.Fatal("a program that lived for a while returned")
		}
		s.Stood()
	}
	s.Proven(A)
	if s.Runs != A || s.Trial != nil || s.Former == nil || *s.Former != Base {
		t.Errorf("%+v", s)
	}
}

func TestANewerPackageWins(t *testing.T) {
	var s State
	s.Try(s.Free(), Program{Version: "0.2"}, "0.1", Order{})
	s.Proven(A)
	if s.Settle("0.1"); s.Runs != A {
		t.Error("an older package won")
	}
	if s.Settle("0.2"); s.Runs != Base || s.Former != nil {
		t.Errorf("a package that is as new did not win: %+v", s)
	}
}
