package words

import (
	"strings"
	"time"
)

// LockText is what the covered screen says in one language, in short sentences
// and easy words.
type LockText struct {
	Lang  Lang
	Title string // "Schau bitte nach vorn."
	Who   string // "Frau Oert hat deinen Bildschirm gesperrt."
	Until string // "Um 10:35 Uhr geht es weiter."
	Safe  string // "Deine Arbeit ist noch da."
	RTL   bool   // written from right to left
}

// LockLanguages lists the languages of the covered screen in the order in which
// it shows them; German stands first and largest.
var LockLanguages = []Lang{German, Ukrainian, Arabic, Turkish, Russian, English}

// In each sentence %by% is who set it and %at% the time of the end.
var lockTexts = map[Lang]LockText{
	German:    {Title: "Schau bitte nach vorn.", Who: "%by% hat deinen Bildschirm gesperrt.", Until: "Um %at% Uhr geht es weiter.", Safe: "Deine Arbeit ist noch da."},
	Ukrainian: {Title: "Будь ласка, дивись уперед.", Who: "%by%: твій екран заблоковано.", Until: "О %at% можна продовжити.", Safe: "Твоя робота нікуди не зникла."},
	Arabic:    {Title: "من فضلك انظر إلى الأمام.", Who: "%by%: تم قفل شاشتك.", Until: "يمكنك المتابعة في الساعة %at%.", Safe: "عملك ما زال موجودًا.", RTL: true},
	Turkish:   {Title: "Lütfen öne bak.", Who: "%by% ekranını kilitledi.", Until: "Saat %at% olunca devam edebilirsin.", Safe: "Çalışman duruyor."},
	Russian:   {Title: "Пожалуйста, смотри вперёд.", Who: "%by%: твой экран заблокирован.", Until: "В %at% можно продолжить.", Safe: "Твоя работа осталась на месте."},
	English:   {Title: "Please look to the front.", Who: "%by% has locked your screen.", Until: "You can go on at %at%.", Safe: "Your work is still there."},
}

// "Your school", where nobody is named.
var lockNobody = map[Lang]string{
	German: "Deine Schule", Ukrainian: "Твоя школа", Arabic: "مدرستك", Turkish: "Okulun", Russian: "Твоя школа", English: "Your school",
}

// Lock returns what the covered screen says. Unknown languages are told in
// German. A nil location is Germany.
func Lock(lang Lang, by string, until time.Time, loc *time.Location) LockText {
	text, ok := lockTexts[lang]
	if !ok {
		lang, text = German, lockTexts[German]
	}
	if by == "" {
		by = lockNobody[lang]
	}
	fill := strings.NewReplacer("%by%", by, "%at%", Clock(until, loc))
	text.Lang = lang
	text.Who = fill.Replace(text.Who)
	text.Until = fill.Replace(text.Until)
	return text
}

// Locks returns the covered screen in all its languages, German first.
func Locks(by string, until time.Time, loc *time.Location) []LockText {
	texts := make([]LockText, len(LockLanguages))
	for i, lang := range LockLanguages {
		texts[i] = Lock(lang, by, until, loc)
	}
	return texts
}

// In each sentence %at% is the time of the end.
var examWaitsTexts = map[Lang]LockText{
	German:    {Title: "Deine Prüfung wartet.", Who: "Das Gerät wurde neu gestartet. Melde dich bei der Aufsicht.", Until: "Die Aufsicht gibt dir einen Code. Tippe die 8 Ziffern.", Safe: "Deine Prüfung endet um %at% Uhr."},
	Ukrainian: {Title: "Твій іспит чекає.", Who: "Пристрій було перезапущено. Звернися до вчителя.", Until: "Вчитель дасть тобі код. Введи 8 цифр.", Safe: "Твій іспит закінчується о %at%."},
	Arabic:    {Title: "امتحانك في الانتظار.", Who: "أعيد تشغيل الجهاز. تحدث إلى المراقب.", Until: "سيعطيك المراقب رمزًا. اكتب الأرقام الثمانية.", Safe: "ينتهي امتحانك في الساعة %at%.", RTL: true},
	Turkish:   {Title: "Sınavın bekliyor.", Who: "Cihaz yeniden başlatıldı. Gözetmene haber ver.", Until: "Gözetmen sana bir kod verir. 8 rakamı yaz.", Safe: "Sınavın saat %at% olunca biter."},
	Russian:   {Title: "Твой экзамен ждёт.", Who: "Устройство было перезапущено. Обратись к учителю.", Until: "Учитель даст тебе код. Введи 8 цифр.", Safe: "Твой экзамен заканчивается в %at%."},
	English:   {Title: "Your exam is waiting.", Who: "The device was restarted. Tell the invigilator.", Until: "The invigilator gives you a code. Type the 8 digits.", Safe: "Your exam ends at %at%."},
}

// ExamWaits returns what the screen says while an examination waits for its
// resume code. Unknown languages are told in German. A nil location is Germany.
func ExamWaits(lang Lang, until time.Time, loc *time.Location) LockText {
	text, ok := examWaitsTexts[lang]
	if !ok {
		lang, text = German, examWaitsTexts[German]
	}
	text.Lang = lang
	text.Safe = strings.ReplaceAll(text.Safe, "%at%", Clock(until, loc))
	return text
}
