using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Groups;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>Groups as vaults keep them, and back.</summary>
internal static class GroupRecords
{
    /// <summary>What is written of a group.</summary>
    public static GroupRecord Write(ProtectionGroup group) => new()
    {
        Id = group.Id,
        Name = group.Name,
        Changed = group.Changed,
        Machines = [.. group.Machines.Select(Write)],
        DiskVaults = group.DiskVaults,
        CopyTo = group.CopyTo,
        Policy = PolicyJson.Write(group.Policy),
        CopyRetention = group.CopyRetention is { } retention ? PolicyJson.WriteRetention(retention) : null,
    };

    /// <summary>What a record says.</summary>
    /// <exception cref="BackupException">PolicyFileInvalid, ArgumentInvalid: a newer version wrote something that this one does not know.</exception>
    public static ProtectionGroup Read(GroupRecord record, string vaultId)
    {
        string source = $"protection group '{record.Name}'";
        return new ProtectionGroup
        {
            Id = record.Id,
            Name = record.Name,
            VaultId = vaultId,
            Changed = record.Changed,
            Machines = [.. record.Machines.Select(Read)],
            Policy = PolicyJson.Read(record.Policy ?? "", source),
            DiskVaults = record.DiskVaults,
            CopyTo = record.CopyTo,
            CopyRetention = record.CopyRetention is { } retention ? PolicyJson.ReadRetention(retention, source) : null,
        };
    }

    private static GroupMachineRecord Write(GroupMachine machine) => new()
    {
        HostName = machine.HostName,
        UserName = machine.Machine.UserName,
        Port = machine.Machine.Port,
        KeyFilePath = machine.Machine.KeyFilePath,
        HostKeyKind = machine.HostKey?.Kind,
        HostKey = machine.HostKey?.Key,
        Platform = machine.Agent?.Platform,
        AgentVersion = machine.Agent?.Version,
        AgentBuild = machine.Agent?.Build,
        Program = machine.Agent?.Program,
    };

    // A key is taken by the same rules as one of a file of known hosts.
    private static GroupMachine Read(GroupMachineRecord record) => new(
        new RemoteMachine { HostName = record.HostName, UserName = record.UserName, Port = record.Port, KeyFilePath = record.KeyFilePath }.Checked(),
        record is { HostKeyKind: { } kind, HostKey: { } key } ? HostKey.Find($"{new RemoteMachine { HostName = record.HostName }.Alias} {kind} {key}") : null,
        record is { AgentVersion: { } version, Program: { } program } ? new GroupAgent(record.Platform, version, record.AgentBuild, program) : null);
}
