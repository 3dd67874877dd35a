package linux

// polkitFile is a rule of ours; polkitd sees by itself when one comes or goes.
// Rules are asked in the order of their names, and the first that answers counts
// (polkit(8)).
func polkitFile(family, rule string) map[string]File {
	return map[string]File{"/etc/polkit-1/rules.d/10-schulwart-" + family + ".rules": {Data: []byte("polkit.addRule(function(action, subject) {\n" + rule + "});\n")}}
}
