package words

import (
	"strconv"
	"strings"
	"time"
)

// ExamText is what pupils read about their examination while they write, in short
// sentences and easy words. It knows one end: their own.
type ExamText struct {
	Lang     Lang
	RTL      bool
	Title    string // "Deine Prüfung"
	By       string // "Von Frau Oert"
	End      string // "Deine Zeit endet um 10:35 Uhr."
	Left     string // "Noch 23 min."
	Tool     string // "Taschenrechner: keiner."; empty where the examination says nothing of it
	Battery  string // empty where none is known
	Charging string
	Linked   string
	Unlinked string
	Raise    string // on the button
	Raised   string
	Unseen   string // raised, and nobody can see it
	Lower    string // on the button
	Back     string
	Keys     string
}

// In each sentence %by% is who set it, %at% the time of the end, %left% how long
// that is from now, %n% percent.
var examTexts = map[Lang]ExamText{
	German: {
		Title: "Deine Prüfung", By: "Von %by%", End: "Deine Zeit endet um %at% Uhr.", Left: "Noch %left%.", Battery: "Akku: %n% Prozent.", Charging: "Das Gerät lädt.",
		Linked: "Du bist verbunden.", Unlinked: "Gerade keine Verbindung. Schreib ruhig weiter.", Raise: "Ich brauche Hilfe", Raised: "Du hast dich gemeldet. Die Aufsicht sieht das.",
		Unseen: "Gerade keine Verbindung. Melde dich auch mit der Hand.", Lower: "Ich brauche keine Hilfe mehr", Back: "Zurück zur Prüfung", Keys: "Mit Strg und Tab wechselst du zwischen der Prüfung und dieser Seite.",
	},
	Ukrainian: {
		Title: "Твій іспит", By: "Від: %by%", End: "Твій час закінчується о %at%.", Left: "Залишилося %left%.", Battery: "Батарея: %n% відсотків.", Charging: "Пристрій заряджається.",
		Linked: "Ти на зв’язку.", Unlinked: "Зараз немає зв’язку. Пиши далі спокійно.", Raise: "Мені потрібна допомога", Raised: "Ти просиш допомоги. Учитель це бачить.",
		Unseen: "Зараз немає зв’язку. Підніми ще й руку.", Lower: "Допомога більше не потрібна", Back: "Назад до іспиту", Keys: "Ctrl і Tab: перехід між іспитом і цією сторінкою.",
	},
	Arabic: {
		RTL: true, Title: "امتحانك", By: "من %by%", End: "ينتهي وقتك في الساعة %at%.", Left: "بقي %left%.", Battery: "البطارية: %n% بالمئة.", Charging: "الجهاز يشحن.",
		Linked: "أنت متصل.", Unlinked: "لا يوجد اتصال الآن. تابع الكتابة بهدوء.", Raise: "أحتاج إلى مساعدة", Raised: "طلبت المساعدة. المراقب يرى ذلك.",
		Unseen: "لا يوجد اتصال الآن. ارفع يدك أيضًا.", Lower: "لم أعد أحتاج إلى مساعدة", Back: "العودة إلى الامتحان", Keys: "Ctrl و Tab للتنقل بين الامتحان وهذه الصفحة.",
	},
	Turkish: {
		Title: "Sınavın", By: "Hazırlayan: %by%", End: "Süren saat %at% olunca biter.", Left: "Kalan süre: %left%.", Battery: "Pil: yüzde %n%.", Charging: "Cihaz şarj oluyor.",
		Linked: "Bağlantın var.", Unlinked: "Şu anda bağlantı yok. Rahatça yazmaya devam et.", Raise: "Yardıma ihtiyacım var", Raised: "Yardım istedin. Gözetmen bunu görüyor.",
		Unseen: "Şu anda bağlantı yok. Elini de kaldır.", Lower: "Artık yardıma ihtiyacım yok", Back: "Sınava dön", Keys: "Ctrl ve Tab: sınav ile bu sayfa arasında geçiş.",
	},
	Russian: {
		Title: "Твой экзамен", By: "От: %by%", End: "Твоё время заканчивается в %at%.", Left: "Осталось %left%.", Battery: "Батарея: %n% процентов.", Charging: "Устройство заряжается.",
		Linked: "Связь есть.", Unlinked: "Сейчас нет связи. Спокойно пиши дальше.", Raise: "Мне нужна помощь", Raised: "Ты просишь помощи. Учитель это видит.",
		Unseen: "Сейчас нет связи. Подними ещё и руку.", Lower: "Помощь больше не нужна", Back: "Назад к экзамену", Keys: "Ctrl и Tab: переход между экзаменом и этой страницей.",
	},
	English: {
		Title: "Your exam", By: "By %by%", End: "Your time ends at %at%.", Left: "%left% left.", Battery: "Battery: %n% percent.", Charging: "The device is charging.",
		Linked: "You are connected.", Unlinked: "No connection right now. Just keep writing.", Raise: "I need help", Raised: "You asked for help. The invigilator sees it.",
		Unseen: "No connection right now. Raise your hand, too.", Lower: "I need no help any more", Back: "Back to the exam", Keys: "Ctrl and Tab switch between the exam and this page.",
	},
}

// ExamNow is how an examination stands on a device.
type ExamNow struct {
	By      string
	Until   time.Time // the pupil's own end
	Left    time.Duration
	Battery *int // percent; nil where there is none
	// Calculator is the kind that may be used, one of lease.Calculators; "" says
	// nothing.
	Calculator string
}

// calculators are what pupils read of the calculator that they may use.
var calculators = map[Lang]map[string]string{
	German:    {"none": "Taschenrechner: keiner.", "basic": "Taschenrechner: ein einfacher.", "scientific": "Taschenrechner: ein wissenschaftlicher (WTR).", "graphing": "Taschenrechner: ein grafikfähiger (GTR).", "cas": "Taschenrechner: einer mit CAS."},
	Ukrainian: {"none": "Калькулятор: не можна.", "basic": "Калькулятор: простий.", "scientific": "Калькулятор: інженерний.", "graphing": "Калькулятор: графічний.", "cas": "Калькулятор: із CAS."},
	Arabic:    {"none": "الآلة الحاسبة: غير مسموحة.", "basic": "الآلة الحاسبة: بسيطة.", "scientific": "الآلة الحاسبة: علمية.", "graphing": "الآلة الحاسبة: بيانية.", "cas": "الآلة الحاسبة: مع CAS."},
	Turkish:   {"none": "Hesap makinesi: yok.", "basic": "Hesap makinesi: basit.", "scientific": "Hesap makinesi: bilimsel.", "graphing": "Hesap makinesi: grafik.", "cas": "Hesap makinesi: CAS’lı."},
	Russian:   {"none": "Калькулятор: нельзя.", "basic": "Калькулятор: простой.", "scientific": "Калькулятор: инженерный.", "graphing": "Калькулятор: графический.", "cas": "Калькулятор: с CAS."},
	English:   {"none": "Calculator: none.", "basic": "Calculator: a simple one.", "scientific": "Calculator: a scientific one.", "graphing": "Calculator: a graphing one.", "cas": "Calculator: one with CAS."},
}

// ExamWords returns what the pupil reads. Unknown languages are told in German. A
// nil location is Germany.
func ExamWords(lang Lang, now ExamNow, loc *time.Location) ExamText {
	text, ok := examTexts[lang]
	if !ok {
		lang, text = German, examTexts[German]
	}
	by := now.By
	if by == "" {
		by = lockNobody[lang]
	}
	fill := strings.NewReplacer("%by%", by, "%at%", Clock(now.Until, loc), "%left%", Remaining(lang, now.Left))
	text.Lang, text.By, text.End, text.Left = lang, fill.Replace(text.By), fill.Replace(text.End), fill.Replace(text.Left)
	text.Tool = calculators[lang][now.Calculator]
	if now.Battery == nil {
		text.Battery = ""
	} else {
		text.Battery = strings.ReplaceAll(text.Battery, "%n%", strconv.Itoa(*now.Battery))
	}
	return text
}

// BarText is the same on the narrow bar, in as few words as there can be.
type BarText struct{ Until, Left, Battery, Link, Button, Keys string }

// ExamBar returns what the bar says, in German or English.
func ExamBar(lang Lang, now ExamNow, linked, raised bool, loc *time.Location) BarText {
	german := lang != English
	pick := func(de, en string) string {
		if german {
			return de
		}
		return en
	}
	text := BarText{
		Until: pick("bis "+Clock(now.Until, loc)+" Uhr", "until "+Clock(now.Until, loc)), Left: pick("noch "+Remaining(German, now.Left), Remaining(English, now.Left)+" left"),
		Link: pick("verbunden", "connected"), Button: pick("Melden", "Ask for help"), Keys: pick("Strg+Alt+M", "Ctrl+Alt+M"),
	}
	if now.Battery != nil {
		text.Battery = pick("Akku ", "battery ") + strconv.Itoa(*now.Battery) + " %"
	}
	if !linked {
		text.Link = pick("keine Verbindung, schreib weiter", "no connection, keep writing")
	}
	switch {
	case raised && linked:
		text.Button = pick("Gemeldet", "Asked for help")
	case raised:
		text.Button = pick("Bitte Hand heben", "Please raise your hand")
	}
	return text
}
