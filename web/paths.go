package web

import (
	"net/url"
	"strings"
)

// Paths of the console, written as gin reads them. GET shows the page; POST on
// the same path changes what it shows, unless a path of its own stands below.
const (
	PathHome         = "/" // leads on to the first place of the person's navigation
	PathLogin        = "/anmelden"
	PathSecondFactor = "/anmelden/code"
	PathLogout       = "/abmelden"
	PathInviteCode   = "/einladung" // for who has a printed code and no link
	PathInvite       = "/einladung/:token"
	PathReset        = "/passwort"
	PathAccount      = "/konto"
	PathAccountPass  = "/konto/passwort"           // POST
	PathAccountCode  = "/konto/zweiter"            // POST action=begin|confirm|remove
	PathAccountEnd   = "/konto/sitzung-ende"       // POST session
	PathPreferences  = "/einstellungen"            // POST lang, theme, back
	PathSetup        = "/einrichten/:step"         // POST action=save|skip
	PathSetupCheck   = "/einrichten/:step/pruefen" // POST: checks with the values of the form

	PathDay             = "/mein-tag"
	PathChoose          = "/mein-tag/klassen"
	PathSubstitute      = "/mein-tag/vertreten"
	PathBorrow          = "/mein-tag/koffer"
	PathReturn          = "/mein-tag/koffer/zurueck" // POST group
	PathTeacherApps     = "/mein-tag/apps"           // POST see TeacherAppsPage
	PathLessons         = "/unterricht"
	PathBoard           = "/unterricht/:group"
	PathBoardLive       = "/unterricht/:group/live"               // server-sent events, see BoardPage
	PathBoardPart       = "/unterricht/:group/stand"              // GET: BoardLive as a fragment, after a gap in the stream
	PathModeStart       = "/unterricht/:group/modus"              // POST, see ModeFormPage
	PathModeForm        = "/unterricht/:group/modus/:kind"        // GET, query device (repeated)
	PathModeExtend      = "/unterricht/:group/laufend/:mode/plus" // POST minutes
	PathModeEnd         = "/unterricht/:group/laufend/:mode/ende" // POST device (repeated, none means all)
	PathUndo            = "/unterricht/:group/zurueck"            // POST token
	PathAbsent          = "/unterricht/:group/abwesend"           // POST device, absent=1|0
	PathRelease         = "/unterricht/:group/freigabe/:device"   // GET; POST challenge
	PathRehearsal       = "/probe"
	PathRehearsalScreen = "/probe/bildschirm" // GET: PupilScreen as a fragment
	PathSites           = "/seiten"
	PathSiteNew         = "/seiten/neu"
	PathSite            = "/seiten/:list"
	PathSiteDelete      = "/seiten/:list/loeschen" // POST
	PathPropose         = "/seiten-vorschlag"      // POST url: ProposalPart as a fragment

	PathExams          = "/pruefungen"
	PathExamKeeping    = "/pruefungen/aufbewahrung" // POST days
	PathExamImport     = "/pruefungen/import"       // POST multipart: file
	PathExamImportStep = "/pruefungen/import/:plan" // POST see ExamImportMapPage, ExamImportPreviewPage
	PathExamNew        = "/pruefungen/neu"          // POST see ExamFormPage
	PathExam           = "/pruefungen/:exam"
	PathExamPart       = "/pruefungen/:exam/stand" // GET: ExamFragments
	PathExamLive       = "/pruefungen/:exam/live"  // GET: the stream of the page
	PathExamEdit       = "/pruefungen/:exam/bearbeiten"
	PathExamCopy       = "/pruefungen/:exam/kopie"         // POST who=missing for a resit
	PathExamCancel     = "/pruefungen/:exam/absagen"       // POST
	PathExamDo         = "/pruefungen/:exam/tun"           // POST do=start|end|extend|pause|go-on|rehearse|end-rehearsal|hand-over, minutes, to
	PathExamSeat       = "/pruefungen/:exam/platz/:device" // POST do=release|readmit|extend-seat|swap|compensate|seen, minutes, other
	PathExamReady      = "/pruefungen/:exam/bereitschaft"
	PathExamTimes      = "/pruefungen/:exam/zeiten"
	PathExamCodes      = "/pruefungen/:exam/codes"                   // for phone and paper; query device
	PathExamWork       = "/pruefungen/:exam/dateien"                 // POST file; query format=csv
	PathExamFile       = "/pruefungen/:exam/dateien/:file"           // GET shows it; POST removes it
	PathExamWorkZip    = "/pruefungen/:exam/arbeiten"                // GET: a ZIP file; query device
	PathExamWorkFile   = "/pruefungen/:exam/arbeiten/:device/:state" // query path
	PathExamEvidence   = "/pruefungen/:exam/nachweis"                // for the file; query format=csv
	PathExamBrowser    = "/pruefungen/:exam/safe-exam-browser"       // query file=sealed|plain fetches it
	PathExtra          = "/pruefungszeit"                            // POST target, minutes, percent

	PathApps           = "/apps"                          // POST scope, title, url: takes a web app in
	PathAppUploads     = "/apps/hochladen"                // POST scope, file, size, label, licence, name, version, sha256: begins an upload
	PathAppUpload      = "/apps/hochladen/:upload"        // GET how far it is; POST a piece
	PathLicences       = "/apps/lizenzen"                 // POST see LicencesPage
	PathLicence        = "/apps/lizenzen/:pool"           // POST do=drop
	PathShelf          = "/apps/auswahl"                  // POST see ShelfPage
	PathShelfRemove    = "/apps/auswahl/:entry/entfernen" // POST
	PathAppRequest     = "/apps/wuensche/:request"        // POST see AppRequest
	PathApp            = "/apps/:app"                     // POST see AppPage
	PathAppLook        = "/apps/:app/aussehen"            // POST multipart: title, title-en, text, text-en, picture, drop=1
	PathAppIcon        = "/symbole/:icon"                 // a picture by its hash, for everybody
	PathAppRemove      = "/apps/:app/entfernen"           // POST
	PathRollout        = "/verteilungen/:rollout"
	PathRolloutDevices = "/verteilungen/:rollout/geraete" // query ring, wie
	PathRolloutDo      = "/verteilungen/:rollout/tun"     // GET query do asks, POST do does: start|pause|resume|retry|rollback

	PathSchool        = "/schule"
	PathDevices       = "/geraete"
	PathDevice        = "/geraete/:device"
	PathDeviceEdit    = "/geraete/:device/bearbeiten"     // POST
	PathDeviceRelease = "/geraete/:device/freigabe"       // GET; POST challenge
	PathDeviceEnd     = "/geraete/:device/ende"           // POST mode: ends it for this device
	PathDeviceRetire  = "/geraete/:device/ausser-betrieb" // GET asks, POST does
	PathTokens        = "/aufnahme"
	PathTokenLink     = "/aufnehmen/:link" // where an enrolment link leads a browser, for everybody who has it
	PathTokenNew      = "/aufnahme/neu"
	PathToken         = "/aufnahme/:token"
	PathTokenSheet    = "/aufnahme/:token/blatt"      // for printing
	PathTokenRevoke   = "/aufnahme/:token/widerrufen" // POST
	PathGroups        = "/gruppen"
	PathGroupNew      = "/gruppen/neu"
	PathGroup         = "/gruppen/:group"
	PathGroupEdit     = "/gruppen/:group/bearbeiten"
	PathGroupDelete   = "/gruppen/:group/loeschen"    // POST
	PathGroupDevices  = "/gruppen/:group/geraete"     // GET chooses; POST device, action=add|remove
	PathGroupTeachers = "/gruppen/:group/lehrkraefte" // POST person, action=add|remove
	PathPeople        = "/personen"
	PathPersonInvite  = "/personen/einladen"
	PathPerson        = "/personen/:person"
	PathPersonRoles   = "/personen/:person/rollen"        // POST
	PathPersonReset   = "/personen/:person/zuruecksetzen" // POST
	PathPersonLock    = "/personen/:person/sperren"       // POST locked=1|0
	PathInviteSheet   = "/personen/:person/blatt"         // for printing
	PathImport        = "/import"
	PathImportStep    = "/import/:import"
	PathSettings      = "/schule/einstellungen"
	PathCalendars     = "/kalender"                        // leads on; query ort
	PathCalendar      = "/kalender/:level/:place"          // query ab: a day of the school year; POST see CalendarPage
	PathCalendarFile  = "/kalender/:level/:place/vorschau" // POST multipart: file

	PathPolicies        = "/richtlinien" // leads on to the place that the person acts in
	PathCoverage        = "/richtlinien/systeme"
	PathPlacePolicies   = "/richtlinien/an/:level/:place"         // the operator's place is "alle"
	PathPolicyChange    = "/richtlinien/an/:level/:place/aendern" // POST family, draft: leads to the editor
	PathPolicyHistory   = "/richtlinien/an/:level/:place/verlauf"
	PathPreset          = "/richtlinien/an/:level/:place/vorlage"         // POST preset
	PathTemplates       = "/richtlinien/vorlagen"                         // POST file: takes a package in
	PathTemplate        = "/richtlinien/vorlagen/:template"               // GET wo=<level>/<id>: what it would change there; POST do=take|decline, wo, reason
	PathPublishers      = "/richtlinien/herausgeber"                      // POST: see TemplatesPage
	PathPublisherRemove = "/richtlinien/herausgeber/:publisher/entfernen" // POST
	PathFourEyes        = "/richtlinien/an/:level/:place/vier-augen"      // POST on=1|0
	PathTakeOver        = "/richtlinien/an/:level/:place/uebernehmen"     // GET from; POST from, part
	PathDrafts          = "/richtlinien/entwuerfe"
	PathDraft           = "/richtlinien/entwuerfe/:draft"                           // POST title, reason
	PathDraftDevices    = "/richtlinien/entwuerfe/:draft/geraete/:school"           // per device
	PathDraftFamily     = "/richtlinien/entwuerfe/:draft/familie/:family"           // POST see PolicyEditPage
	PathDraftDrop       = "/richtlinien/entwuerfe/:draft/familie/:family/verwerfen" // POST
	PathDraftPropose    = "/richtlinien/entwuerfe/:draft/vorschlagen"               // POST
	PathDraftApprove    = "/richtlinien/entwuerfe/:draft/freigeben"                 // POST
	PathDraftPilot      = "/richtlinien/entwuerfe/:draft/pilot"                     // POST group; action=end
	PathDraftPublish    = "/richtlinien/entwuerfe/:draft/veroeffentlichen"          // POST
	PathDraftDiscard    = "/richtlinien/entwuerfe/:draft/wegwerfen"                 // POST
	PathDraftRebase     = "/richtlinien/entwuerfe/:draft/abgleichen"                // POST: takes over what was published since
	PathRevision        = "/richtlinien/verlauf/:revision"                          // GET shows, POST takes back
	PathExceptions      = "/ausnahmen"
	PathExceptionNew    = "/ausnahmen/neu"
	PathException       = "/ausnahmen/:exception"
	PathExceptionExtend = "/ausnahmen/:exception/verlaengern" // POST until
	PathExceptionEnd    = "/ausnahmen/:exception/beenden"     // POST
	PathExceptionDecide = "/ausnahmen/:exception/entscheiden" // POST do=grant|refuse
	PathFollowing       = "/schule/standard"

	PathHelpdesk      = "/hotline"
	PathCall          = "/hotline/:device"
	PathSchools       = "/schulen"
	PathSchoolNew     = "/schulen/neu"
	PathAuthorityNew  = "/traeger/neu"
	PathOperations    = "/betrieb"
	PathBackupNow     = "/betrieb/sicherung" // POST
	PathKeyRotate     = "/betrieb/schluessel"
	PathMailTest      = "/betrieb/testmail" // POST
	PathAudit         = "/protokoll"
	PathPrograms      = "/programme"
	PathProgramRevoke = "/programme/:program/widerrufen" // POST

	PathPupilNow  = "/g/:key" // Was gilt hier?
	PathPupilSees = "/g/:key/was-sieht-die-schule"
	PathPupilApps = "/g/:key/apps" // POST see PupilAppsPage
	PathHelp      = "/hilfe"
	PathHelpPage  = "/hilfe/:page"

	PathDemo       = "/demo"
	PathDemoLogin  = "/demo/rolle" // POST role
	PathDemoAction = "/demo/tun"   // POST action, device; answers DemoStage as a fragment
	PathDemoLive   = "/demo/live"  // server-sent events: DemoStage as event "stage"

	PathStatic   = "/static/*file"
	PathManifest = "/manifest.webmanifest"
	PathWorker   = "/worker.js" // at the root, because a worker rules only what lies below it
	PathOffline  = "/offline"
)

// To fills the :names of a pattern in order, escaped. Values beyond the
// pattern's names are ignored; missing ones stay empty.
func To(pattern string, values ...string) string {
	parts := strings.Split(pattern, "/")
	next := 0
	for i, part := range parts {
		if !strings.HasPrefix(part, ":") {
			continue
		}
		parts[i] = ""
		if next < len(values) {
			parts[i] = url.PathEscape(values[next])
		}
		next++
	}
	return strings.Join(parts, "/")
}

// With appends a query of alternating names and values to a path; empty values
// are left out.
func With(path string, pairs ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Add(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
