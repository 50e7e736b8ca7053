namespace MSOnlineBackup.Host.Documents;

/// <summary>Where a server can be reached, as soon as it can.</summary>
internal sealed record ServingLine(string Protocol, string Address, string? Secret, string? PointId, long? Bytes) : Document("serving");

/// <summary><c>serve webdav</c>, <c>serve nbd</c>, <c>serve store</c> and <c>serve backup</c>.</summary>
internal sealed record ServeSummary(string Command, string Address) : Summary(Command);

/// <summary>A machine of a recovery point, as soon as it runs.</summary>
internal sealed record RunningMachineLine(string Name, string PointId, bool RanAlready, double Seconds, string Monitor, string? Screen) : Document("runningMachine");

/// <summary><c>image start</c>, when the machine needs the vault no more.</summary>
internal sealed record InstantSummary(string Name, string PointId, string Folder, int Disks, long Bytes, string Script) : Summary("image start");
