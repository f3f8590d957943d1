// Requests that a physical function's driver alone may make, and only where it is not a hosted one.
// Source: Linux mana.h (struct mana_register_hw_vport_req, mana_register_filter_req and their opposites) of 6.12 and 7.x.

/// MANA_REGISTER_FILTER: frames for an address go to a port.
public enum RegisterFilter: RequestLayout {
    public typealias Response = RegisterFilterResponse
    @inlinable public static var kind: RequestKind { .registerFilter }
    @inlinable public static var byteCount: Int { 72 }
}

extension MessageField where Layout == RegisterFilter, Value == UInt64 {
    @inlinable public static var port: Self { .init(40) }
}

extension MessageArray where Layout == RegisterFilter, Value == UInt8 {
    @inlinable public static var address: Self { .init(48, count: 6) }
}

public enum RegisterFilterResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 40 }
}

extension MessageField where Layout == RegisterFilterResponse, Value == UInt64 {
    @inlinable public static var filter: Self { .init(32) }
}

/// MANA_DEREGISTER_FILTER.
public enum DeregisterFilter: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .deregisterFilter }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == DeregisterFilter, Value == UInt64 {
    @inlinable public static var filter: Self { .init(40) }
}

/// MANA_REGISTER_HW_PORT.
public enum RegisterHardwarePort: RequestLayout {
    public typealias Response = RegisterHardwarePortResponse
    @inlinable public static var kind: RequestKind { .registerHardwarePort }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == RegisterHardwarePort, Value == UInt16 {
    /// attached_gfid.
    @inlinable public static var function: Self { .init(40) }
}

extension MessageField where Layout == RegisterHardwarePort, Value == UInt8 {
    @inlinable public static var isDefault: Self { .init(42) }
    @inlinable public static var allowsAllTypes: Self { .init(44) }
}

public enum RegisterHardwarePortResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 40 }
}

extension MessageField where Layout == RegisterHardwarePortResponse, Value == UInt64 {
    /// It takes the place of the port's handle.
    @inlinable public static var port: Self { .init(32) }
}

/// MANA_DEREGISTER_HW_PORT.
public enum DeregisterHardwarePort: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .deregisterHardwarePort }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == DeregisterHardwarePort, Value == UInt64 {
    @inlinable public static var port: Self { .init(40) }
}
