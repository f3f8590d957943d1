// Requests about protection domains, memory registrations and device memory, which RDMA alone uses.
// Source: Linux gdma.h (struct gdma_create_pd_req, gdma_create_mr_request, gdma_alloc_dm_req) of 7.x.

/// GDMA_CREATE_PD.
public enum CreateProtectionDomain: RequestLayout {
    public typealias Response = CreateProtectionDomainResponse
    @inlinable public static var kind: RequestKind { .createProtectionDomain }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == CreateProtectionDomain, Value == UInt32 {
    @inlinable public static var flags: Self { .init(40) }
}

public enum CreateProtectionDomainResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == CreateProtectionDomainResponse, Value == UInt64 {
    @inlinable public static var domain: Self { .init(32) }
}

extension MessageField where Layout == CreateProtectionDomainResponse, Value == UInt32 {
    @inlinable public static var id: Self { .init(40) }
}

/// GDMA_DESTROY_PD.
public enum DestroyProtectionDomain: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .destroyProtectionDomain }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == DestroyProtectionDomain, Value == UInt64 {
    @inlinable public static var domain: Self { .init(40) }
}

/// What a memory registration is over.
@frozen public enum RegistrationType: UInt32, Sendable {
    case physical = 1
    case virtual = 2
    case zeroBased = 4
    case deviceMemory = 5
}

/// GDMA_CREATE_MR. What lies from offset 56 on depends on the type.
public enum CreateMemoryRegistration: RequestLayout {
    public typealias Response = CreateMemoryRegistrationResponse
    @inlinable public static var kind: RequestKind { .createMemoryRegistration }
    @inlinable public static var byteCount: Int { 88 }
    @inlinable public static var shortestByteCount: Int { 80 }
}

extension MessageField where Layout == CreateMemoryRegistration, Value == UInt64 {
    @inlinable public static var domain: Self { .init(40) }
    /// The region, of `virtual` and `zeroBased`; device memory of `deviceMemory`.
    @inlinable public static var backing: Self { .init(56) }
}

extension MessageField where Layout == CreateMemoryRegistration, Value == UInt32 {
    /// `RegistrationType`.
    @inlinable public static var type: Self { .init(48) }
}

public enum CreateMemoryRegistrationResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == CreateMemoryRegistrationResponse, Value == UInt64 {
    @inlinable public static var registration: Self { .init(32) }
}

extension MessageField where Layout == CreateMemoryRegistrationResponse, Value == UInt32 {
    @inlinable public static var localKey: Self { .init(40) }
    @inlinable public static var remoteKey: Self { .init(44) }
}

/// GDMA_DESTROY_MR.
public enum DestroyMemoryRegistration: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .destroyMemoryRegistration }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == DestroyMemoryRegistration, Value == UInt64 {
    @inlinable public static var registration: Self { .init(40) }
}

/// GDMA_ALLOC_DM.
public enum AllocateDeviceMemory: RequestLayout {
    public typealias Response = AllocateDeviceMemoryResponse
    @inlinable public static var kind: RequestKind { .allocateDeviceMemory }
    @inlinable public static var byteCount: Int { 56 }
}

extension MessageField where Layout == AllocateDeviceMemory, Value == UInt64 {
    @inlinable public static var length: Self { .init(40) }
}

extension MessageField where Layout == AllocateDeviceMemory, Value == UInt32 {
    @inlinable public static var alignment: Self { .init(48) }
}

public enum AllocateDeviceMemoryResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 40 }
}

extension MessageField where Layout == AllocateDeviceMemoryResponse, Value == UInt64 {
    @inlinable public static var memory: Self { .init(32) }
}

/// GDMA_DESTROY_DM.
public enum DestroyDeviceMemory: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .destroyDeviceMemory }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == DestroyDeviceMemory, Value == UInt64 {
    @inlinable public static var memory: Self { .init(40) }
}
