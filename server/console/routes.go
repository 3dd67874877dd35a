package console

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/may"
	"schulwart.org/web"
)

// Route is one address of the console: what it needs, and who answers.
type Route struct {
	Method  string
	Pattern string     // as gin reads it
	Needs   may.Action // may.AccountOwn: any person who is signed in
	Public  bool       // nobody needs to be signed in
	Part    bool       // a fragment or a stream, not a page: what is said once waits for a page
	handle  func(*Handler, *gin.Context) error
}

// Routes lists every address of the console. The door asks whether a person may
// do what a route needs anywhere at all; the room asks whether here.
func Routes() []Route {
	var all []Route
	for _, some := range [][]Route{publicRoutes, ownRoutes, lessonRoutes, examRoutes, schoolRoutes, appRoutes, policyRoutes, staffRoutes, enrolRoutes, operatorRoutes, demoRoutes} {
		all = append(all, some...)
	}
	return all
}

const (
	get  = http.MethodGet
	post = http.MethodPost
)

var publicRoutes = []Route{
	{Method: get, Pattern: web.PathHome, Public: true, Part: true, handle: (*Handler).showHome},
	{Method: get, Pattern: web.PathLogin, Public: true, handle: (*Handler).showLogin},
	{Method: post, Pattern: web.PathLogin, Public: true, handle: (*Handler).login},
	{Method: get, Pattern: web.PathSecondFactor, Public: true, handle: (*Handler).showSecondFactor},
	{Method: post, Pattern: web.PathSecondFactor, Public: true, handle: (*Handler).secondFactor},
	{Method: post, Pattern: web.PathLogout, Public: true, handle: (*Handler).logout},
	{Method: get, Pattern: web.PathInviteCode, Public: true, handle: (*Handler).showInviteCode},
	{Method: post, Pattern: web.PathInviteCode, Public: true, handle: (*Handler).inviteCode},
	{Method: get, Pattern: web.PathInvite, Public: true, handle: (*Handler).showInvite},
	{Method: post, Pattern: web.PathInvite, Public: true, handle: (*Handler).acceptInvite},
	{Method: get, Pattern: web.PathReset, Public: true, handle: (*Handler).showReset},
	{Method: post, Pattern: web.PathReset, Public: true, handle: (*Handler).reset},
	{Method: get, Pattern: web.PathTokenLink, Public: true, handle: (*Handler).showTokenLink},
	{Method: post, Pattern: web.PathPreferences, Public: true, handle: (*Handler).setPreferences},
	{Method: get, Pattern: web.PathSetup, Public: true, handle: (*Handler).showSetup},
	{Method: post, Pattern: web.PathSetup, Public: true, handle: (*Handler).saveSetup},
	{Method: post, Pattern: web.PathSetupCheck, Public: true, handle: (*Handler).checkSetup},
	{Method: get, Pattern: web.PathOffline, Public: true, Part: true, handle: (*Handler).showOffline},
	{Method: get, Pattern: web.PathAppIcon, Public: true, Part: true, handle: (*Handler).showIcon},
	{Method: get, Pattern: web.PathPupilNow, Public: true, Part: true, handle: (*Handler).showPupilNow},
	{Method: get, Pattern: web.PathPupilSees, Public: true, Part: true, handle: (*Handler).showPupilSees},
	{Method: get, Pattern: web.PathPupilApps, Public: true, Part: true, handle: (*Handler).showPupilApps},
	{Method: post, Pattern: web.PathPupilApps, Public: true, Part: true, handle: (*Handler).doPupilApps},
}

var ownRoutes = []Route{
	{Method: get, Pattern: web.PathAccount, Needs: may.AccountOwn, handle: (*Handler).showAccount},
	{Method: post, Pattern: web.PathAccountPass, Needs: may.AccountOwn, handle: (*Handler).changePassword},
	{Method: post, Pattern: web.PathAccountCode, Needs: may.AccountOwn, handle: (*Handler).changeFactor},
	{Method: post, Pattern: web.PathAccountEnd, Needs: may.AccountOwn, handle: (*Handler).endSession},
	{Method: get, Pattern: web.PathHelp, Needs: may.AccountOwn, handle: (*Handler).showHelp},
	{Method: get, Pattern: web.PathHelpPage, Needs: may.AccountOwn, handle: (*Handler).showHelpPage},
}

var lessonRoutes = []Route{
	{Method: get, Pattern: web.PathDay, Needs: may.Substitute, handle: (*Handler).showDay},
	{Method: get, Pattern: web.PathChoose, Needs: may.Substitute, handle: (*Handler).showChoose},
	{Method: post, Pattern: web.PathChoose, Needs: may.Substitute, handle: (*Handler).choose},
	{Method: get, Pattern: web.PathSubstitute, Needs: may.Substitute, handle: (*Handler).showSubstitute},
	{Method: post, Pattern: web.PathSubstitute, Needs: may.Substitute, handle: (*Handler).substitute},
	{Method: get, Pattern: web.PathBorrow, Needs: may.Substitute, handle: (*Handler).showBorrow},
	{Method: post, Pattern: web.PathBorrow, Needs: may.Substitute, handle: (*Handler).borrow},
	{Method: post, Pattern: web.PathReturn, Needs: may.Substitute, handle: (*Handler).giveBack},
	{Method: get, Pattern: web.PathLessons, Needs: may.ModeStart, handle: (*Handler).showLessons},
	{Method: get, Pattern: web.PathBoard, Needs: may.GroupRead, handle: (*Handler).showBoard},
	{Method: get, Pattern: web.PathBoardPart, Needs: may.GroupRead, Part: true, handle: (*Handler).showBoardPart},
	{Method: get, Pattern: web.PathBoardLive, Needs: may.GroupRead, Part: true, handle: (*Handler).streamBoard},
	{Method: get, Pattern: web.PathModeForm, Needs: may.ModeStart, handle: (*Handler).showModeForm},
	{Method: post, Pattern: web.PathModeStart, Needs: may.ModeStart, handle: (*Handler).startMode},
	{Method: post, Pattern: web.PathModeExtend, Needs: may.ModeStart, handle: (*Handler).extendMode},
	{Method: post, Pattern: web.PathModeEnd, Needs: may.ModeEnd, handle: (*Handler).endMode},
	{Method: post, Pattern: web.PathUndo, Needs: may.ModeStart, handle: (*Handler).undoEnd},
	{Method: post, Pattern: web.PathAbsent, Needs: may.ModeStart, handle: (*Handler).markAbsent},
	{Method: get, Pattern: web.PathRelease, Needs: may.ModeEnd, handle: (*Handler).showRelease},
	{Method: post, Pattern: web.PathRelease, Needs: may.ModeEnd, handle: (*Handler).showRelease},
	{Method: get, Pattern: web.PathRehearsal, Needs: may.ModeStart, handle: (*Handler).showRehearsal},
	{Method: get, Pattern: web.PathRehearsalScreen, Needs: may.ModeStart, Part: true, handle: (*Handler).showRehearsalScreen},
	{Method: get, Pattern: web.PathSites, Needs: may.SitesWrite, handle: (*Handler).listSites},
	{Method: get, Pattern: web.PathSiteNew, Needs: may.SitesWrite, handle: (*Handler).newSites},
	{Method: post, Pattern: web.PathSiteNew, Needs: may.SitesWrite, handle: (*Handler).saveSites},
	{Method: get, Pattern: web.PathSite, Needs: may.SitesWrite, handle: (*Handler).showSites},
	{Method: post, Pattern: web.PathSite, Needs: may.SitesWrite, handle: (*Handler).saveSites},
	{Method: post, Pattern: web.PathSiteDelete, Needs: may.SitesWrite, handle: (*Handler).deleteSites},
	{Method: post, Pattern: web.PathPropose, Needs: may.SitesWrite, Part: true, handle: (*Handler).proposeHosts},
}

var examRoutes = []Route{
	{Method: get, Pattern: web.PathExams, Needs: may.ExamRead, handle: (*Handler).listExams},
	{Method: get, Pattern: web.PathExamKeeping, Needs: may.SchoolWrite, handle: (*Handler).showExamKeeping},
	{Method: post, Pattern: web.PathExamKeeping, Needs: may.SchoolWrite, handle: (*Handler).setExamKeeping},
	{Method: get, Pattern: web.PathExamImport, Needs: may.ExamWrite, handle: (*Handler).beginExamImport},
	{Method: post, Pattern: web.PathExamImport, Needs: may.ExamWrite, handle: (*Handler).readExamImport},
	{Method: get, Pattern: web.PathExamImportStep, Needs: may.ExamWrite, handle: (*Handler).showExamImport},
	{Method: post, Pattern: web.PathExamImportStep, Needs: may.ExamWrite, handle: (*Handler).stepExamImport},
	{Method: get, Pattern: web.PathExamNew, Needs: may.ExamWrite, handle: (*Handler).newExam},
	{Method: post, Pattern: web.PathExamNew, Needs: may.ExamWrite, handle: (*Handler).saveExam},
	{Method: get, Pattern: web.PathExam, Needs: may.ExamRead, handle: (*Handler).showExam},
	{Method: get, Pattern: web.PathExamPart, Needs: may.ExamRead, Part: true, handle: (*Handler).showExamPart},
	{Method: get, Pattern: web.PathExamLive, Needs: may.ExamRead, Part: true, handle: (*Handler).streamExam},
	{Method: get, Pattern: web.PathExamEdit, Needs: may.ExamWrite, handle: (*Handler).editExam},
	{Method: post, Pattern: web.PathExamEdit, Needs: may.ExamWrite, handle: (*Handler).saveExam},
	{Method: post, Pattern: web.PathExamCopy, Needs: may.ExamWrite, handle: (*Handler).copyExam},
	{Method: post, Pattern: web.PathExamCancel, Needs: may.ExamWrite, handle: (*Handler).cancelExam},
	{Method: post, Pattern: web.PathExamDo, Needs: may.ModeEnd, handle: (*Handler).changeExam},
	{Method: get, Pattern: web.PathExamSeat, Needs: may.ExamRun, handle: (*Handler).showExamSeat},
	{Method: post, Pattern: web.PathExamSeat, Needs: may.ModeEnd, handle: (*Handler).changeExamSeat},
	{Method: post, Pattern: web.PathExamReady, Needs: may.ExamRun, handle: (*Handler).askExamReady},
	{Method: get, Pattern: web.PathExamReady, Needs: may.ExamRun, handle: (*Handler).showExamReady},
	{Method: get, Pattern: web.PathExamTimes, Needs: may.ExamRun, handle: (*Handler).showExamTimes},
	{Method: get, Pattern: web.PathExamCodes, Needs: may.ExamRun, handle: (*Handler).showExamCodes},
	{Method: get, Pattern: web.PathExamBrowser, Needs: may.ExamRun, handle: (*Handler).showExamBrowser},
	{Method: get, Pattern: web.PathExamWork, Needs: may.ExamRun, handle: (*Handler).showExamWork},
	{Method: post, Pattern: web.PathExamWork, Needs: may.ExamWrite, handle: (*Handler).giveExamFiles},
	{Method: get, Pattern: web.PathExamFile, Needs: may.ExamRun, Part: true, handle: (*Handler).showExamFile},
	{Method: post, Pattern: web.PathExamFile, Needs: may.ExamWrite, handle: (*Handler).takeBackExamFile},
	{Method: get, Pattern: web.PathExamWorkZip, Needs: may.ExamRun, Part: true, handle: (*Handler).fetchExamWork},
	{Method: get, Pattern: web.PathExamWorkFile, Needs: may.ExamRun, Part: true, handle: (*Handler).fetchExamFile},
	{Method: get, Pattern: web.PathExamEvidence, Needs: may.ExamRun, handle: (*Handler).showExamEvidence},
	{Method: get, Pattern: web.PathExtra, Needs: may.ExtraWrite, handle: (*Handler).showExtra},
	{Method: post, Pattern: web.PathExtra, Needs: may.ExtraWrite, handle: (*Handler).saveExtra},
}

var schoolRoutes = []Route{
	{Method: get, Pattern: web.PathSchool, Needs: may.SchoolRead, handle: (*Handler).showSchool},
	{Method: get, Pattern: web.PathSettings, Needs: may.SchoolWrite, handle: (*Handler).showSettings},
	{Method: post, Pattern: web.PathSettings, Needs: may.SchoolWrite, handle: (*Handler).saveSettings},
	{Method: get, Pattern: web.PathCalendars, Needs: may.AppRead, Part: true, handle: (*Handler).showCalendars},
	{Method: get, Pattern: web.PathCalendar, Needs: may.AppRead, handle: (*Handler).showCalendar},
	{Method: post, Pattern: web.PathCalendar, Needs: may.SchoolWrite, handle: (*Handler).changeCalendar},
	{Method: post, Pattern: web.PathCalendarFile, Needs: may.SchoolWrite, handle: (*Handler).readCalendar},
	{Method: get, Pattern: web.PathDevices, Needs: may.DeviceRead, handle: (*Handler).listDevices},
	{Method: get, Pattern: web.PathDevice, Needs: may.DeviceRead, handle: (*Handler).showDevice},
	{Method: post, Pattern: web.PathDeviceEdit, Needs: may.DeviceWrite, handle: (*Handler).editDevice},
	{Method: get, Pattern: web.PathDeviceRelease, Needs: may.ModeEnd, handle: (*Handler).showDeviceRelease},
	{Method: post, Pattern: web.PathDeviceRelease, Needs: may.ModeEnd, handle: (*Handler).showDeviceRelease},
	{Method: post, Pattern: web.PathDeviceEnd, Needs: may.ModeEnd, handle: (*Handler).endOnDevice},
	{Method: get, Pattern: web.PathDeviceRetire, Needs: may.DeviceWrite, handle: (*Handler).askRetire},
	{Method: post, Pattern: web.PathDeviceRetire, Needs: may.DeviceWrite, handle: (*Handler).retireDevice},
	{Method: get, Pattern: web.PathGroups, Needs: may.SchoolRead, handle: (*Handler).listGroups},
	{Method: get, Pattern: web.PathGroupNew, Needs: may.GroupWrite, handle: (*Handler).newGroup},
	{Method: post, Pattern: web.PathGroupNew, Needs: may.GroupWrite, handle: (*Handler).saveGroup},
	{Method: get, Pattern: web.PathGroup, Needs: may.GroupRead, handle: (*Handler).showGroup},
	{Method: get, Pattern: web.PathGroupEdit, Needs: may.GroupWrite, handle: (*Handler).editGroup},
	{Method: post, Pattern: web.PathGroupEdit, Needs: may.GroupWrite, handle: (*Handler).saveGroup},
	{Method: post, Pattern: web.PathGroupDelete, Needs: may.GroupWrite, handle: (*Handler).deleteGroup},
	{Method: get, Pattern: web.PathGroupDevices, Needs: may.GroupWrite, handle: (*Handler).chooseDevices},
	{Method: post, Pattern: web.PathGroupDevices, Needs: may.GroupWrite, handle: (*Handler).changeDevices},
	{Method: post, Pattern: web.PathGroupTeachers, Needs: may.GroupWrite, handle: (*Handler).changeTeachers},
	{Method: get, Pattern: web.PathImport, Needs: may.RosterImport, handle: (*Handler).showImports},
	{Method: post, Pattern: web.PathImport, Needs: may.RosterImport, handle: (*Handler).beginImport},
	{Method: get, Pattern: web.PathImportStep, Needs: may.RosterImport, handle: (*Handler).showImport},
	{Method: post, Pattern: web.PathImportStep, Needs: may.RosterImport, handle: (*Handler).stepImport},
}

var appRoutes = []Route{
	{Method: get, Pattern: web.PathApps, Needs: may.AppRead, handle: (*Handler).listApps},
	{Method: post, Pattern: web.PathApps, Needs: may.AppWrite, handle: (*Handler).takeInApp},
	{Method: post, Pattern: web.PathAppUploads, Needs: may.AppWrite, Part: true, handle: (*Handler).beginUpload},
	{Method: get, Pattern: web.PathAppUpload, Needs: may.AppWrite, Part: true, handle: (*Handler).showUpload},
	{Method: post, Pattern: web.PathAppUpload, Needs: may.AppWrite, Part: true, handle: (*Handler).continueUpload},
	{Method: get, Pattern: web.PathLicences, Needs: may.AppRead, handle: (*Handler).listLicences},
	{Method: post, Pattern: web.PathLicences, Needs: may.LicenceWrite, handle: (*Handler).saveLicences},
	{Method: get, Pattern: web.PathLicence, Needs: may.AppRead, handle: (*Handler).showLicence},
	{Method: post, Pattern: web.PathLicence, Needs: may.LicenceWrite, handle: (*Handler).dropLicence},
	{Method: get, Pattern: web.PathShelf, Needs: may.AppRead, handle: (*Handler).showShelf},
	{Method: post, Pattern: web.PathShelf, Needs: may.ShelfWrite, handle: (*Handler).addToShelf},
	{Method: post, Pattern: web.PathShelfRemove, Needs: may.ShelfWrite, handle: (*Handler).removeFromShelf},
	{Method: post, Pattern: web.PathAppRequest, Needs: may.ShelfWrite, handle: (*Handler).answerRequest},
	{Method: get, Pattern: web.PathTeacherApps, Needs: may.AppAsk, handle: (*Handler).showTeacherApps},
	{Method: post, Pattern: web.PathTeacherApps, Needs: may.AppAsk, handle: (*Handler).doTeacherApps},
	{Method: get, Pattern: web.PathApp, Needs: may.AppRead, handle: (*Handler).showApp},
	{Method: post, Pattern: web.PathAppLook, Needs: may.AppWrite, handle: (*Handler).dressApp},
	{Method: post, Pattern: web.PathApp, Needs: may.RolloutRun, handle: (*Handler).planRollout},
	{Method: post, Pattern: web.PathAppRemove, Needs: may.AppWrite, handle: (*Handler).removeApp},
	{Method: get, Pattern: web.PathRollout, Needs: may.AppRead, handle: (*Handler).showRollout},
	{Method: get, Pattern: web.PathRolloutDevices, Needs: may.AppRead, handle: (*Handler).listRolloutDevices},
	{Method: get, Pattern: web.PathRolloutDo, Needs: may.AppRead, handle: (*Handler).askRollout},
	{Method: post, Pattern: web.PathRolloutDo, Needs: may.RolloutRun, handle: (*Handler).doRollout},
}

var policyRoutes = []Route{
	{Method: get, Pattern: web.PathPolicies, Needs: may.PolicyRead, handle: (*Handler).showPolicies},
	{Method: get, Pattern: web.PathCoverage, Needs: may.PolicyRead, handle: (*Handler).showCoverage},
	{Method: get, Pattern: web.PathPlacePolicies, Needs: may.PolicyRead, handle: (*Handler).showPlacePolicies},
	{Method: post, Pattern: web.PathPolicyChange, Needs: may.PolicyPropose, handle: (*Handler).changePolicy},
	{Method: get, Pattern: web.PathPolicyHistory, Needs: may.PolicyRead, handle: (*Handler).showPolicyHistory},
	{Method: get, Pattern: web.PathTakeOver, Needs: may.PolicyPropose, handle: (*Handler).askTakeOver},
	{Method: post, Pattern: web.PathPreset, Needs: may.PolicyPropose, handle: (*Handler).beginPreset},
	{Method: post, Pattern: web.PathTakeOver, Needs: may.PolicyPropose, handle: (*Handler).takeOver},
	{Method: get, Pattern: web.PathTemplates, Needs: may.PolicyRead, handle: (*Handler).listTemplates},
	{Method: post, Pattern: web.PathTemplates, Needs: may.PolicyWrite, handle: (*Handler).takeInTemplate},
	{Method: get, Pattern: web.PathTemplate, Needs: may.PolicyRead, handle: (*Handler).showTemplate},
	{Method: post, Pattern: web.PathTemplate, Needs: may.PolicyPropose, handle: (*Handler).decideTemplate},
	{Method: post, Pattern: web.PathPublishers, Needs: may.PolicyWrite, handle: (*Handler).trustPublisher},
	{Method: post, Pattern: web.PathPublisherRemove, Needs: may.PolicyWrite, handle: (*Handler).distrustPublisher},
	{Method: get, Pattern: web.PathFourEyes, Needs: may.PolicyRead, handle: (*Handler).showEyes},
	{Method: post, Pattern: web.PathFourEyes, Needs: may.PolicyApprove, handle: (*Handler).setEyes},
	{Method: get, Pattern: web.PathRevision, Needs: may.PolicyRead, handle: (*Handler).showRevision},
	{Method: post, Pattern: web.PathRevision, Needs: may.PolicyPropose, handle: (*Handler).undoRevision},
	{Method: get, Pattern: web.PathDrafts, Needs: may.PolicyRead, handle: (*Handler).listDrafts},
	{Method: get, Pattern: web.PathDraft, Needs: may.PolicyRead, handle: (*Handler).showDraft},
	{Method: post, Pattern: web.PathDraft, Needs: may.PolicyPropose, handle: (*Handler).saveDraft},
	{Method: get, Pattern: web.PathDraftDevices, Needs: may.PolicyRead, handle: (*Handler).showDraftDevices},
	{Method: get, Pattern: web.PathDraftFamily, Needs: may.PolicyPropose, handle: (*Handler).editPolicy},
	{Method: post, Pattern: web.PathDraftFamily, Needs: may.PolicyPropose, handle: (*Handler).savePolicy},
	{Method: post, Pattern: web.PathDraftDrop, Needs: may.PolicyPropose, handle: (*Handler).dropPolicy},
	{Method: post, Pattern: web.PathDraftPropose, Needs: may.PolicyPropose, handle: (*Handler).proposeDraft},
	{Method: post, Pattern: web.PathDraftApprove, Needs: may.PolicyApprove, handle: (*Handler).approveDraft},
	{Method: post, Pattern: web.PathDraftPilot, Needs: may.PolicyWrite, handle: (*Handler).pilotDraft},
	{Method: post, Pattern: web.PathDraftPublish, Needs: may.PolicyWrite, handle: (*Handler).publishDraft},
	{Method: post, Pattern: web.PathDraftDiscard, Needs: may.PolicyPropose, handle: (*Handler).discardDraft},
	{Method: post, Pattern: web.PathDraftRebase, Needs: may.PolicyPropose, handle: (*Handler).rebaseDraft},
	{Method: get, Pattern: web.PathExceptions, Needs: may.PolicyRead, handle: (*Handler).listExceptions},
	{Method: get, Pattern: web.PathExceptionNew, Needs: may.PolicyPropose, handle: (*Handler).newException},
	{Method: post, Pattern: web.PathExceptionNew, Needs: may.PolicyPropose, handle: (*Handler).fileException},
	{Method: get, Pattern: web.PathException, Needs: may.PolicyRead, handle: (*Handler).showException},
	{Method: post, Pattern: web.PathExceptionExtend, Needs: may.PolicyPropose, handle: (*Handler).extendException},
	{Method: post, Pattern: web.PathExceptionDecide, Needs: may.PolicyPropose, handle: (*Handler).decideException},
	{Method: post, Pattern: web.PathExceptionEnd, Needs: may.PolicyPropose, handle: (*Handler).endException},
	{Method: get, Pattern: web.PathFollowing, Needs: may.PolicyRead, handle: (*Handler).showFollowing},
}

var staffRoutes = []Route{
	{Method: get, Pattern: web.PathPeople, Needs: may.StaffRead, handle: (*Handler).listPeople},
	{Method: get, Pattern: web.PathPersonInvite, Needs: may.StaffWrite, handle: (*Handler).askInvite},
	{Method: post, Pattern: web.PathPersonInvite, Needs: may.StaffWrite, handle: (*Handler).invitePerson},
	{Method: get, Pattern: web.PathPerson, Needs: may.StaffRead, handle: (*Handler).showPerson},
	{Method: post, Pattern: web.PathPersonRoles, Needs: may.StaffWrite, handle: (*Handler).changeRoles},
	{Method: post, Pattern: web.PathPersonReset, Needs: may.StaffWrite, handle: (*Handler).resetPerson},
	{Method: post, Pattern: web.PathPersonLock, Needs: may.StaffWrite, handle: (*Handler).lockPerson},
	{Method: get, Pattern: web.PathInviteSheet, Needs: may.StaffWrite, handle: (*Handler).inviteSheet},
}

var enrolRoutes = []Route{
	{Method: get, Pattern: web.PathTokens, Needs: may.TokenRead, handle: (*Handler).listTokens},
	{Method: get, Pattern: web.PathTokenNew, Needs: may.TokenWrite, handle: (*Handler).newToken},
	{Method: post, Pattern: web.PathTokenNew, Needs: may.TokenWrite, handle: (*Handler).makeToken},
	{Method: get, Pattern: web.PathToken, Needs: may.TokenRead, handle: (*Handler).showToken},
	{Method: get, Pattern: web.PathTokenSheet, Needs: may.TokenRead, handle: (*Handler).tokenSheet},
	{Method: post, Pattern: web.PathTokenRevoke, Needs: may.TokenWrite, handle: (*Handler).revokeToken},
}

var operatorRoutes = []Route{
	{Method: get, Pattern: web.PathHelpdesk, Needs: may.HelpDeskUse, handle: (*Handler).showHelpdesk},
	{Method: get, Pattern: web.PathCall, Needs: may.HelpDeskUse, handle: (*Handler).showCall},
	{Method: post, Pattern: web.PathCall, Needs: may.HelpDeskUse, handle: (*Handler).showCall},
	{Method: get, Pattern: web.PathSchools, Needs: may.SchoolRead, handle: (*Handler).listSchools},
	{Method: get, Pattern: web.PathSchoolNew, Needs: may.SchoolCreate, handle: (*Handler).askSchool},
	{Method: post, Pattern: web.PathSchoolNew, Needs: may.SchoolCreate, handle: (*Handler).makeSchool},
	{Method: get, Pattern: web.PathAuthorityNew, Needs: may.AuthorityNew, handle: (*Handler).askAuthority},
	{Method: post, Pattern: web.PathAuthorityNew, Needs: may.AuthorityNew, handle: (*Handler).makeAuthority},
	{Method: get, Pattern: web.PathOperations, Needs: may.OperationRead, handle: (*Handler).showOperations},
	{Method: post, Pattern: web.PathBackupNow, Needs: may.OperationRun, handle: (*Handler).backupNow},
	{Method: get, Pattern: web.PathKeyRotate, Needs: may.OperationRun, handle: (*Handler).askRotate},
	{Method: post, Pattern: web.PathKeyRotate, Needs: may.OperationRun, handle: (*Handler).rotateKeys},
	{Method: post, Pattern: web.PathMailTest, Needs: may.OperationRun, handle: (*Handler).testMail},
	{Method: get, Pattern: web.PathAudit, Needs: may.AuditRead, handle: (*Handler).showAudit},
	{Method: get, Pattern: web.PathPrograms, Needs: may.StaffWrite, handle: (*Handler).listPrograms},
	{Method: post, Pattern: web.PathPrograms, Needs: may.StaffWrite, handle: (*Handler).makeProgram},
	{Method: post, Pattern: web.PathProgramRevoke, Needs: may.StaffWrite, handle: (*Handler).revokeProgram},
}
