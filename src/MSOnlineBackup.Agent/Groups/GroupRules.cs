using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>What a group has to be, as far as no vault has to be asked.</summary>
internal static class GroupRules
{
    private const int LongestName = 64;

    /// <summary>Refuses a group that cannot be.</summary>
    /// <exception cref="BackupException">ArgumentInvalid; PolicyIncomplete, PolicyInvalid, PolicyLimitExceeded, …</exception>
    public static void Check(ProtectionGroup group, PolicyLimits limits)
    {
        string name = group.Name;
        Require(!string.IsNullOrWhiteSpace(name) && name.Length <= LongestName && !name.Any(char.IsControl), $"'{name}' is no name of a protection group.", "Give it a plain name of at most 64 characters.", name);
        Require(group.Machines.Count > 0, $"The protection group '{name}' would have no machine.", "Name at least one machine on which Install-OBAgent has put an agent. To end a group, remove it: Remove-OBProtectionGroup, or 'obengine group remove'.", name);
        Require(group.Machines.Count <= GroupRecord.MostMachines, $"{group.Machines.Count} machines are too many for one protection group.", $"Make several groups of at most {GroupRecord.MostMachines} machines.", name);
        Require(group.DiskVaults.Count > 0, $"The protection group '{name}' would have no disk vault.", "Name the folder of a vault with -DiskVault or --disk-vault: backups go there first.", name);
        Require(
            group.DiskVaults.Count <= GroupRecord.MostPlaces && group.CopyTo.Count <= GroupRecord.MostPlaces,
            $"The protection group '{name}' would have too many places.",
            $"Name at most {GroupRecord.MostPlaces} disk vaults, and as many places for copies.",
            name);
        RequireOnce(group.Machines.Select(machine => machine.Machine.Alias), "machine", name);
        RequireOnce(group.Places.Select(PlaceOf), "place", name);
        foreach (string disk in group.DiskVaults)
        {
            Require(!new VaultAddress(disk).IsRemote && Path.IsPathFullyQualified(disk), $"'{disk}' is no folder: a disk vault is one that this server has at hand.", "Name the folder of a vault with -DiskVault or --disk-vault, and the cloud with -CopyTo or --copy-to.", disk);
        }

        foreach (string copy in group.CopyTo)
        {
            Require(new VaultAddress(copy).IsRemote || Path.IsPathFullyQualified(copy), $"'{copy}' is neither an absolute path nor a URL.", "Name a twin of the disk vaults by its folder or URL.", copy);
        }

        Require(group.Policy.CopyTo.Count == 0, $"The policy of the protection group '{name}' names places for copies itself.", "Name them with -CopyTo or --copy-to of the group: its points are copied once all of its machines are backed up.", name);
        Require(
            group.Policy is { Kind: PolicyKind.Files, Workloads.Count: 0, VirtualMachines.Count: 0 },
            $"The policy of the protection group '{name}' is not one for files and folders alone.",
            "The system state, databases and virtual machines are backed up by each machine's own policy.",
            name);
        Require(group.CopyRetention is null || group.CopyTo.Count > 0, $"The protection group '{name}' has a retention for copies, and no place for them.", "Name the place with -CopyTo or --copy-to.", name);
        limits.Check(group.Policy);
        GroupSources.Of(group.Policy);
        if (group.CopyRetention is { } retention)
        {
            limits.CheckRetention(retention);
        }
    }

    /// <summary>Refuses a group whose name another has, or one of whose machines is in another.</summary>
    /// <exception cref="BackupException">GroupExists, GroupMachineTaken.</exception>
    public static void CheckAmong(ProtectionGroup group, IReadOnlyList<ProtectionGroup> others)
    {
        foreach (ProtectionGroup other in others.Where(other => other.Id != group.Id))
        {
            if (other.Name.Equals(group.Name, StringComparison.OrdinalIgnoreCase))
            {
                throw GroupErrors.Exists(other.Name);
            }

            HashSet<string> taken = [.. other.Machines.Select(machine => machine.Machine.Alias)];
            if (group.Machines.FirstOrDefault(machine => taken.Contains(machine.Machine.Alias)) is { } machine)
            {
                throw GroupErrors.MachineTaken(machine.HostName, other.Name);
            }
        }
    }

    private static string PlaceOf(string place) => new VaultAddress(place).IsRemote ? place.TrimEnd('/') : Path.TrimEndingDirectorySeparator(Path.GetFullPath(place));

    private static void RequireOnce(IEnumerable<string> names, string what, string group)
    {
        if (names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(name => name.Count() > 1)?.Key is { } twice)
        {
            throw GroupErrors.Invalid($"The {what} '{twice}' stands twice in the protection group '{group}'.", "Name it once.", twice);
        }
    }

    private static void Require(bool holds, string message, string action, string target)
    {
        if (!holds)
        {
            throw GroupErrors.Invalid(message, action, target);
        }
    }
}
