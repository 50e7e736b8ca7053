using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Engine.Tests.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Groups;

/// <summary>A server with a pool of two disk vaults and a copy of them far away, and two machines that have an agent.</summary>
internal sealed class GroupFixture : IDisposable
{
    public const string Server = "SERVER";
    public const string Cloud = "https://x.example/cloud";

    private readonly HashSet<string> _away = [];

    public AgentFixture Machines { get; } = new();

    /// <summary>The first disk vault, which ALPHA backs up to as well.</summary>
    public string A => Machines.Vault;

    /// <summary>The second.</summary>
    public string B => Machines["pool-b"];

    /// <summary>ALPHA.</summary>
    public BackupAgent Alpha { get; private set; } = null!;

    /// <summary>The server, as another process would open it.</summary>
    public ProtectionGroups Groups(string? state = null) => Open(state).Groups;

    /// <summary>The server's agent.</summary>
    public BackupAgent Open(string? state = null) => Machines.Open(Server, state);

    /// <summary>What the server's state has on record of machines.</summary>
    public RemoteAgentRecords Records(string? state = null) => new(new StateFolder(state ?? Machines.StateOf(Server)));

    public static BackupPolicy Policy { get; } = new()
    {
        Files = [new FileSpecification("/srv")],
        Schedule = new BackupSchedule([DayOfWeek.Monday], [TimeSpan.FromHours(21)], 1),
        Retention = new RetentionPolicy(10),
    };

    /// <summary>Makes the vaults.</summary>
    public async Task<GroupFixture> CreateAsync()
    {
        Alpha = await Machines.ActivateAsync();
        await Alpha.Copies.CreateTwinAsync(B, A, Cancel);
        await Alpha.Copies.CreateTwinAsync(Cloud, A, Cancel);
        Machines.Decorate = store => _away.Contains(((FolderVaultStore)store).Location) ? throw new BackupException(BackupErrorId.VaultUnreachable, $"'{store.Location}' is away.", "Wait.", store.Location) : store;
        AddMachine("m1", 1);
        AddMachine("m2", 2);
        return this;
    }

    /// <summary>Puts on record that a machine has an agent.</summary>
    public void AddMachine(string host, byte key, string? state = null)
    {
        RemoteAgentRecords records = Records(state);
        using IDisposable? _ = records.TryLock(host);
        records.Pin(host, KeyOf(key));
        records.Write(new RemoteAgent
        {
            Machine = new RemoteMachine { HostName = host, UserName = "backup", Port = 2222, KeyFilePath = "/root/.ssh/id" },
            State = RemoteAgentState.Current,
            HostKey = KeyOf(key).ToString(),
            Platform = "linux-x64",
            Version = "0.1.0",
            Build = "0.1.0-abc",
            Program = "/home/backup/.local/lib/obengine/obengine",
        });
    }

    public static HostKey KeyOf(byte key) => new("ssh-ed25519", Convert.ToBase64String([key, 2, 3, 4]));

    /// <summary>A group that can be made.</summary>
    public ProtectionGroup Draft(string name = "web", params string[] machines) => new()
    {
        Name = name,
        Machines = Groups().Describe(machines.Length == 0 ? ["m1", "m2"] : machines),
        Policy = Policy,
        DiskVaults = [A, B],
        CopyTo = [Cloud],
        CopyRetention = new RetentionPolicy(30),
    };

    /// <summary>Makes that group.</summary>
    public Task<GroupChange> MakeAsync(string name = "web", params string[] machines) => Groups().CreateAsync(Draft(name, machines), Passphrase, isRehearsal: false, Cancel);

    /// <summary>Whether a place answers.</summary>
    public void SetAway(string place, bool isAway)
    {
        string folder = Machines.FolderOf(place);
        _ = isAway ? _away.Add(folder) : _away.Remove(folder);
    }

    /// <summary>The records of groups in a place.</summary>
    public string[] RecordsIn(string place)
    {
        string stores = Path.Combine(Machines.FolderOf(place), "stores");
        return Directory.Exists(stores) ? [.. Directory.EnumerateFiles(stores, "*", SearchOption.AllDirectories).Where(file => file.Contains($"{Path.DirectorySeparatorChar}groups{Path.DirectorySeparatorChar}", StringComparison.Ordinal)).Order()] : [];
    }

    public void Dispose() => Machines.Dispose();
}
