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
	"network.left-over":     {"alte Netzregeln sind noch da", "old network rules are still there"},
}
