using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>What a name means in a vault.</summary>
/// <param name="Id">The machine whose recovery points are meant: the id comes from the name that it had first.</param>
/// <param name="FirstName">That name.</param>
/// <param name="Record">What the vault says of the machine by this name; null for nothing.</param>
/// <param name="RenamedTo">What the machine is called now, where this is an earlier name of it; else null.</param>
internal sealed record MachineStanding(MachineId Id, string FirstName, MachineRecord? Record, string? RenamedTo)
{
    /// <summary>Whether a machine that has not left has, or had, this name.</summary>
    public bool IsTaken => Record is { IsGone: false };

    /// <summary>Whether this is not the name from which the machine's id comes.</summary>
    public bool IsLaterName => Record?.First is not null;

    /// <summary>Whether the machine is one of this chunk store.</summary>
    public bool IsOf(StoreKeys keys) => Record?.StoreId == keys.StoreId;

    /// <summary>Puts together what two series say.</summary>
    /// <param name="header">The vault's header.</param>
    /// <param name="name">The name.</param>
    /// <param name="own">What holds of the name.</param>
    /// <param name="first">What holds of the name that its machine had first.</param>
    public static MachineStanding Of(VaultHeader header, string name, MachineRecord? own, MachineRecord? first)
    {
        string firstName = own?.First ?? own?.Name ?? name;
        MachineId id = header.MachineId(firstName);
        if (own is null || first is null || first.StoreId != own.StoreId)
        {
            // The first name was freed, and another machine has it by now: its records say nothing of this one.
            return new MachineStanding(id, firstName, own, RenamedTo: null);
        }

        string called = first.Called ?? first.Name;
        return new MachineStanding(
            id, firstName, own with { Left = own.Left ?? first.Left }, header.MachineId(called) == header.MachineId(name) ? null : called);
    }
}
