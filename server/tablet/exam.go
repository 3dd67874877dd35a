package tablet

import (
	"context"
	"slices"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
)

// aboutApp marks questions whether the app of an examination is installed. A
// tablet that is locked to an app that it has not is of no use any more, so it is
// asked before: look, then lock.
const aboutApp = "lease-app"

// appMissing is why an examination is not on its way.
const appMissing = "not_possible.app_missing"

// appOf is the app that an examination locks a tablet to.
func appOf(l lesson.Lease) string {
	if l.Rules.Exam != nil && l.Rules.Exam.TabletApp != "" {
		return l.Rules.Exam.TabletApp
	}
	return safari
}

// Prepare asks a tablet ahead of an examination whether it could take part. It
// knows no beginning, so that the examination itself is sent when it comes; other
// kinds need no question.
func (s *Service) Prepare(ctx context.Context, l lesson.Lease) error {
	if l.Kind != lease.Exam {
		return nil
	}
	supervised, err := s.Store.Supervised(ctx, l.Branch.Authority, l.Device)
	if err != nil {
		return err
	}
	if _, err := Profile(l, supervised, s.Home); err != nil {
		if fault := errs.Find(err); fault != nil {
			return s.refuse(ctx, l, fault.Key)
		}
		return err
	}
	return s.Orders.Order(ctx, l.Branch.Authority, l.Device, mdm.InstalledApplicationList(appOf(l)), l.Ends, about(aboutApp, l.ID, l.Rev), every(aboutApp, l.ID))
}

// Ask puts the question again to tablets that had not the app when they were
// asked, and the first time to those that were missed. A job calls it.
func (s *Service) Ask(ctx context.Context) error {
	leases, err := s.Store.TabletsUnprepared(ctx, s.Now(), 500)
	if err != nil {
		return err
	}
	for _, l := range leases {
		missing := l.PhaseReason != nil && l.PhaseReason.Code == appMissing
		if l.ReportedRev >= l.Rev && !missing {
			continue // it is something else that a second question does not mend
		}
		if err := s.Prepare(ctx, l); err != nil && !errs.Is(err, errs.Conflict) {
			return err
		}
	}
	return nil
}

// looked takes the answer: the examination waits for its beginning, begins if
// that has passed, or cannot be because the app is missing.
func (s *Service) looked(ctx context.Context, school org.Branch, device org.ID, id string, rev int, result mdm.Result) error {
	l, err := s.Store.TabletLease(ctx, school.Authority, device, org.ID(id))
	if errs.Is(err, errs.NotFound) || err == nil && l.Rev != rev {
		return nil // another question is on its way
	}
	if err != nil {
		return err
	}
	app := appOf(l)
	if app != safari && !has(result, app) {
		return s.say(ctx, school, device, id, rev, ddm.LeaseRefused, &ddm.Reason{Code: appMissing, Details: map[string]string{"app": app}})
	}
	if err := s.say(ctx, school, device, id, rev, ddm.LeaseWaiting, &ddm.Reason{Code: "app.found"}); err != nil {
		return err
	}
	if now := s.Now(); now.Before(l.Starts) || !now.Before(l.Ends) {
		return nil
	}
	l.Phase = ddm.LeaseWaiting
	return s.Install(ctx, l)
}

// has reports whether the device has the app, and has it whole.
func has(result mdm.Result, app string) bool {
	var said mdm.InstalledApplicationListResponse
	if result.Status != mdm.Acknowledged || result.Into(&said) != nil {
		return false
	}
	return slices.ContainsFunc(said.InstalledApplicationList, func(a mdm.InstalledApplication) bool { return a.Identifier == app && !a.Installing })
}

// examination adds what an examination is on a tablet: one app, or the leave to
// lock itself for an app that does so; the sites that it needs and no others; no
// aids that write, look up, talk or carry away, unless the rules open them.
//
// The keys: https://developer.apple.com/documentation/devicemanagement/applock and
// https://developer.apple.com/documentation/devicemanagement/restrictions
func examination(p *mdm.Profile, l lesson.Lease, home string) error {
	exam := l.Rules.Exam
	if exam == nil || exam.Page == "" && exam.TabletApp == "" {
		return errs.E(errs.Invalid, "not_possible.exam_app")
	}
	sites := slices.Clone(l.Rules.Sites)
	if exam.Page != "" {
		sites = append([]string{exam.Page}, sites...)
	}
	if len(sites) == 0 {
		sites = []string{home}
	}
	p.Add(typeWebFilter, "web", onlySites(sites))
	limits := mdm.Payload{
		// What lets a pupil out of the examination, or somebody else in.
		"allowEraseContentAndSettings": false, "allowUIConfigurationProfileInstallation": false, "allowHostPairing": false, "allowVPNCreation": false,
		"allowAirDrop": false, "allowBluetoothModification": false, "forceAutomaticDateAndTime": true,
	}
	closed := func(open bool, keys ...string) {
		for _, key := range keys {
			if !open {
				limits[key] = false
			}
		}
	}
	closed(exam.USB, "allowFilesUSBDriveAccess", "allowFilesNetworkDriveAccess")
	closed(exam.Printing, "allowAirPrint")
	closed(exam.Spelling, "allowSpellCheck", "allowAutoCorrection", "allowPredictiveKeyboard", "allowContinuousPathKeyboard", "allowKeyboardShortcuts", "allowDefinitionLookup")
	closed(exam.Assistants, "allowAssistant", "allowDictation", "allowWritingTools", "allowGenmoji")
	closed(exam.Capture, "allowScreenShot", "allowCamera")
	if exam.SelfLock {
		limits["autonomousSingleAppModePermittedAppIDs"] = []string{appOf(l)}
	} else {
		p.Add(typeAppLock, "lock", lock(appOf(l), map[string]any{"DisableAutoLock": true}, exam.Aids))
	}
	p.Add(typeRestrictions, "limits", limits)
	return nil
}

// aids are the accessibility aids of a tablet, by our names of them.
var aids = map[string][]string{
	"reader": {"VoiceOver"}, "magnifier": {"Zoom"}, "contrast": {"InvertColors"}, "keyboard": {"AssistiveTouch", "VoiceControl"},
}

// lock is the payload that keeps one app in front. Aids that a pupil needs stay
// in the pupil's own hands; nil are all of them.
func lock(app string, options map[string]any, only []string) mdm.Payload {
	enabled := map[string]any{}
	for name, keys := range aids {
		for _, key := range keys {
			enabled[key] = only == nil || slices.Contains(only, name)
		}
	}
	return mdm.Payload{"App": map[string]any{"Identifier": app, "Options": options, "UserEnabledOptions": enabled}}
}
