namespace MSOnlineBackup.Host.Documents;

/// <summary>Where a server can be reached, as soon as it can.</summary>
internal sealed record ServingLine(string Protocol, string Address, string? Secret, string? PointId, long? Bytes) : Document("serving");

/// <summary><c>serve webdav</c> and <c>serve nbd</c>.</summary>
internal sealed record ServeSummary(string Command, string Address) : Summary(Command);
