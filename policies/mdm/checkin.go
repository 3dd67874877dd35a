package mdm

// MessageType is the kind of a check-in message.
// https://developer.apple.com/documentation/devicemanagement/check-in
type MessageType string

// Apple's check-in messages.
const (
	Authenticate          MessageType = "Authenticate"
	TokenUpdate           MessageType = "TokenUpdate"
	CheckOut              MessageType = "CheckOut"
	DeclarativeManagement MessageType = "DeclarativeManagement"
	SetBootstrapToken     MessageType = "SetBootstrapToken"
	GetBootstrapToken     MessageType = "GetBootstrapToken"
	GetToken              MessageType = "GetToken"
	UserAuthenticate      MessageType = "UserAuthenticate"
	ReturnToService       MessageType = "ReturnToService"
)

// Endpoints of DeclarativeManagement. Declarations are read at
// EndpointDeclaration + class + "/" + identifier.
const (
	EndpointTokens      = "tokens"
	EndpointItems       = "declaration-items"
	EndpointDeclaration = "declaration/"
	EndpointStatus      = "status"
)

// CheckIn is any check-in message; which fields are set depends on its type.
type CheckIn struct {
	MessageType MessageType
	Enrollment

	Topic string `plist:",omitempty"` // Authenticate, TokenUpdate, CheckOut

	// Authenticate: what the device is.
	DeviceName   string `plist:",omitempty"`
	Model        string `plist:",omitempty"`
	ModelName    string `plist:",omitempty"`
	ProductName  string `plist:",omitempty"`
	OSVersion    string `plist:",omitempty"`
	BuildVersion string `plist:",omitempty"`
	SerialNumber string `plist:",omitempty"`
	IMEI         string `plist:",omitempty"`
	MEID         string `plist:",omitempty"`

	// TokenUpdate: how to wake the device.
	PushMagic             string `plist:",omitempty"`
	Token                 []byte `plist:",omitempty"`
	UnlockToken           []byte `plist:",omitempty"`
	AwaitingConfiguration bool   `plist:",omitempty"`
	NotOnConsole          bool   `plist:",omitempty"`

	// DeclarativeManagement: Endpoint is a path, Data is JSON (status only).
	Endpoint string `plist:",omitempty"`
	Data     []byte `plist:",omitempty"`

	BootstrapToken   []byte `plist:",omitempty"` // SetBootstrapToken
	TokenServiceType string `plist:",omitempty"` // GetToken
	DigestResponse   string `plist:",omitempty"` // UserAuthenticate
}

// GetBootstrapTokenResponse answers GetBootstrapToken.
type GetBootstrapTokenResponse struct {
	BootstrapToken []byte
}

// GetTokenResponse answers GetToken.
type GetTokenResponse struct {
	TokenData []byte
}

// ParseCheckIn reads a check-in message. Its faults are ErrEmpty, ErrPlist,
// ErrType, ErrNoID and ErrBadID.
func ParseCheckIn(data []byte) (CheckIn, error) {
	var message CheckIn
	if !flatCheckIn(data, &message) {
		message = CheckIn{}
		if err := Decode(data, &message); err != nil {
			return CheckIn{}, err
		}
	}
	switch message.MessageType {
	case Authenticate, TokenUpdate, CheckOut, DeclarativeManagement, SetBootstrapToken, GetBootstrapToken, GetToken, UserAuthenticate, ReturnToService:
	default:
		return CheckIn{}, ErrType
	}
	if _, err := message.ID(); err != nil {
		return CheckIn{}, err
	}
	return message, nil
}
