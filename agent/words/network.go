package words

func init() {
	for key, text := range networkSentences {
		sentences[key] = text
	}
}

// networkSentences are the reasons that the network driver gives.
var networkSentences = map[string]sentence{
	"network.unread":        {"Netzregeln sind nicht lesbar: {error}", "network rules cannot be read: {error}"},
	"network.rules-gone":    {"Netzregeln wurden entfernt", "network rules were removed"},
	"network.rules-changed": {"Netzregeln wurden verändert", "network rules were changed"},
	"network.end-changed":   {"das Ende der Netzregeln wurde verändert", "the end of the network rules was changed"},
	"network.filter-lapsed": {"der Grundfilter war abgelaufen", "the base filter had lapsed"},
	"try.network.open":      {"Netz offen", "network open"},
	"try.network.offline":   {"Internet aus", "internet off"},
	"try.network.sites":     {"nur diese Seiten", "only these sites"},
	"try.network.filter":    {"Grundfilter", "base filter"},
	"try.network.reached":   {"{host} ist erreichbar", "{host} is reached"},
	"try.network.refused":   {"{host} wird sofort abgewiesen", "{host} is refused at once"},
	"try.network.server":    {"der Server {host} bleibt erreichbar", "the server {host} stays reachable"},
	"try.network.former":    {"alles wie vor der Probe", "everything as before the trial"},

	"network.left-over": {"alte Netzregeln sind noch da", "old network rules are still there"},
}
