package mdm

// AgentTopic is the Topic of our own agent. Apple devices have the topic of the
// push certificate.
const AgentTopic = "org.schulwart.agent"

// RefusalHeader names the reason for which a device is refused, beside the
// status 400. Apple devices take no notice of it; our agent acts on it.
const RefusalHeader = "Schulwart-Refusal"

// CommandsHeader says in the answer to an agent's report whether commands wait,
// so that it need not ask when there are none. Apple devices ask by themselves.
const (
	CommandsHeader = "Schulwart-Commands"
	NoCommands     = "none"
)

// Reasons in RefusalHeader.
const (
	RefusedNoCertificate = "certificate.none"    // show the certificate
	RefusedUnknown       = "certificate.unknown" // enrol anew
	RefusedRevoked       = "certificate.revoked" // the school let go of the device: stop asking
	RefusedExpired       = "certificate.expired" // renew it, nothing else is allowed
	RefusedClone         = "clone"               // this machine is not the one that was enrolled: discard the key, enrol anew
	RefusedAnew          = "authenticate"        // begin again with Authenticate
	RefusedLeft          = "left"                // the device checked out
	RefusedSerial        = "serial"              // the token names other serial numbers
	RefusedMessage       = "message"             // the message cannot be read
)
