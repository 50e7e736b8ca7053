using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>What the planner knows of a recovery point.</summary>
/// <param name="Id">Its session.</param>
/// <param name="Started">When its backup began, by the machine's clock: what it can stand in for.</param>
/// <param name="Created">When it was committed, by the vault's own clock where that has one: from when on it is kept.</param>
/// <param name="Tags">Its tags, others than of retention among them.</param>
internal sealed record RetentionPoint(SessionId Id, DateTimeOffset Started, DateTimeOffset Created, IReadOnlyList<string> Tags);

/// <summary>A backup that is about to be made.</summary>
/// <param name="Started">When it began.</param>
/// <param name="Zone">The time zone in which the policy's times are meant.</param>
/// <param name="IsPartial">Whether it takes only some of the policy's sources.</param>
/// <param name="RetainUntil">Until when its point is to be kept at least; null: by the policy.</param>
internal sealed record RetentionRun(DateTimeOffset Started, TimeZoneInfo Zone, bool IsPartial = false, DateTimeOffset? RetainUntil = null);
