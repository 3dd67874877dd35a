package remote

import (
	"context"
	"errors"
	"fmt"

	"schulwart.org/policies/mdm"
)

// mostCommands bounds one visit, so that a queue that never ends cannot keep the
// device from its other duties.
const mostCommands = 50

// result is a report on a command, with the answers that inventory commands ask
// for.
type result struct {
	mdm.Enrollment
	Status         mdm.Status
	CommandUUID    string               `plist:",omitempty"`
	RequestType    string               `plist:",omitempty"`
	ErrorChain     []mdm.ErrorChainItem `plist:",omitempty"`
	QueryResponses map[string]any       `plist:",omitempty"`
	ProfileList    []any                `plist:",omitempty"`
	SecurityInfo   map[string]any       `plist:",omitempty"`
}

// obey asks for commands until there are none. A command that cannot be read is
// answered, not left: it would block the queue.
func (s *Session) obey(ctx context.Context) error {
	next := result{Status: mdm.Idle}
	for range mostCommands {
		next.UDID = s.config.Identity.UDID
		answer, err := s.client.put(ctx, resultType, next)
		if err != nil {
			return fmt.Errorf("asking for commands: %w", err)
		}
		if len(answer) == 0 {
			return nil
		}
		command, err := mdm.ParseCommand(answer)
		if errors.Is(err, mdm.ErrCommand) && command.CommandUUID != "" {
			next = result{Status: mdm.CommandFormatError, CommandUUID: command.CommandUUID}
			continue
		}
		if err != nil {
			return fmt.Errorf("reading command: %w", err)
		}
		next = s.perform(command)
	}
	return nil
}

// perform does what a command asks for, as far as it exists for this kind of
// device; the rest is answered with Error, as Apple devices do.
func (s *Session) perform(command mdm.Command) result {
	done := result{Status: mdm.Acknowledged, CommandUUID: command.CommandUUID, RequestType: command.RequestType()}
	switch done.RequestType {
	case mdm.RequestDeclarativeManagement:
		s.due.sync = true
		signal(s.nudges)
	case mdm.RequestDeviceInformation:
		done.QueryResponses = s.information(command)
	case mdm.RequestSecurityInfo:
		done.SecurityInfo = s.security()
	case mdm.RequestProfileList:
		done.ProfileList = []any{}
	default:
		done.Status = mdm.Error
		done.ErrorChain = []mdm.ErrorChainItem{{
			ErrorCode: 12021, ErrorDomain: "MCMDMErrorDomain", USEnglishDescription: "The request type is not supported on this device.",
		}}
	}
	return done
}

func (s *Session) information(command mdm.Command) map[string]any {
	hardware, condition := s.config.Machine.Hardware(), s.config.Machine.Condition()
	all := map[string]any{
		"UDID": s.config.Identity.UDID, "DeviceName": hardware.Hostname, "OSVersion": hardware.OSVersion, "Model": hardware.Model,
		"ModelName": model(hardware), "ProductName": hardware.Platform, "SerialNumber": hardware.Serial, "IsSupervised": true,
		"DeviceCapacity": float64(condition.DiskTotal) / 1e9, "AvailableDeviceCapacity": float64(condition.DiskFree) / 1e9,
	}
	if condition.Battery != nil {
		all["BatteryLevel"] = float64(*condition.Battery) / 100
	}
	asked, ok := command.Command["Queries"].([]any)
	if !ok {
		return all
	}
	answers := map[string]any{}
	for _, query := range asked {
		name, _ := query.(string)
		if value, known := all[name]; known {
			answers[name] = value
		}
	}
	return answers
}

func (s *Session) security() map[string]any {
	condition := s.config.Machine.Condition()
	info := map[string]any{}
	if condition.Encrypted != nil {
		info["FDE_Enabled"] = *condition.Encrypted
	}
	if condition.SecureBoot != nil {
		info["SecureBoot"] = *condition.SecureBoot
	}
	return info
}
