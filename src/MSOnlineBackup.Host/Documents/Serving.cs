namespace MSOnlineBackup.Host.Documents;

/// <summary>Where a server can be reached, as soon as it can.</summary>
internal sealed record ServingLine(string Protocol, string Address, string? Secret, string? PointId, long? Bytes) : Document("serving");

/// <summary><c>serve webdav</c>, <c>serve nbd</c>, <c>serve store</c> and <c>serve backup</c>.</summary>
internal sealed record ServeSummary(string Command, string Address) : Summary(Command);
