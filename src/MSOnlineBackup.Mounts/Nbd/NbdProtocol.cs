namespace MSOnlineBackup.Mounts.Nbd;

/// <summary>What a client may ask for before it has chosen a disk. The numbers are those of the protocol.</summary>
internal enum NbdOption : uint
{
    ExportName = 1,
    Abort = 2,
    List = 3,
    StartTls = 5,
    Info = 6,
    Go = 7,
    StructuredReply = 8,
    ListMetaContext = 9,
    SetMetaContext = 10,
}

/// <summary>Answers to options.</summary>
internal enum NbdAnswer : uint
{
    Ack = 1,
    Server = 2,
    Info = 3,
    MetaContext = 4,
    Unsupported = (1U << 31) + 1,
    Policy = (1U << 31) + 2,
    Invalid = (1U << 31) + 3,
    Unknown = (1U << 31) + 6,
    TooBig = (1U << 31) + 9,
}

/// <summary>Pieces of what is told of a disk.</summary>
internal enum NbdInfo : ushort
{
    Export = 0,
    Name = 1,
    BlockSize = 3,
}

/// <summary>What a disk is and can.</summary>
[Flags]
internal enum NbdFeatures : ushort
{
    HasFlags = 1,
    ReadOnly = 2,
    CanMultiConnect = 1 << 8,
}

/// <summary>What a client does with a disk.</summary>
internal enum NbdCommand : ushort
{
    Read = 0,
    Write = 1,
    Disconnect = 2,
    Flush = 3,
    Trim = 4,
    Cache = 5,
    WriteZeroes = 6,
    BlockStatus = 7,
    Resize = 8,
}

/// <summary>How a client wants a command carried out.</summary>
[Flags]
internal enum NbdCommandFlags : ushort
{
    None = 0,
    ForceUnitAccess = 1,
    OneExtent = 1 << 3,
}

/// <summary>Errors of commands.</summary>
internal enum NbdError : uint
{
    None = 0,
    NotPermitted = 1,
    Io = 5,
    Invalid = 22,
}

/// <summary>Parts of structured answers.</summary>
internal enum NbdChunk : ushort
{
    None = 0,
    Data = 1,
    Hole = 2,
    BlockStatus = 5,
    Error = (1 << 15) + 1,
    ErrorAtOffset = (1 << 15) + 2,
}

/// <summary>The other numbers of the protocol, and bounds of this server.</summary>
internal static class NbdProtocol
{
    public const ulong Greeting = 0x4e42444d41474943;
    public const ulong OptionMagic = 0x49484156454f5054;
    public const ulong OptionReplyMagic = 0x0003e889045565a9;
    public const uint RequestMagic = 0x25609513;
    public const uint SimpleReplyMagic = 0x67446698;
    public const uint StructuredReplyMagic = 0x668e33ef;

    public const ushort FixedNewstyle = 1;
    public const ushort NoZeroes = 2;
    public const ushort Done = 1;

    public const string Allocation = "base:allocation";
    public const uint AllocationId = 1;
    public const uint HoleOfZeroes = 3;

    /// <summary>Most bytes of a request's data, and of an answer's.</summary>
    public const int MaxRequest = 32 << 20;

    /// <summary>What a client had best ask for at a time, at least.</summary>
    public const int PreferredBlock = 64 << 10;

    /// <summary>Most bytes of an option.</summary>
    public const int MaxOption = 32 << 10;

    /// <summary>Most bytes of a name.</summary>
    public const int MaxName = 4096;
}
