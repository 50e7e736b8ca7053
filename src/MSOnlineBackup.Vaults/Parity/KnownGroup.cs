using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>A group that is there.</summary>
/// <param name="Session">The session that wrote it.</param>
/// <param name="Number">Its number within the session. A pack that is in several groups belongs to the one with the highest session and number.</param>
/// <param name="Group">What it consists of.</param>
internal sealed record KnownGroup(SessionId Session, uint Number, ParityGroup Group) : IComparable<KnownGroup>
{
    /// <summary>By session, then by number.</summary>
    public int CompareTo(KnownGroup? other) =>
        other is null ? 1 : Session.CompareTo(other.Session) is var order && order != 0 ? order : Number.CompareTo(other.Number);
}
