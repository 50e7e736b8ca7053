using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Machine;

/// <summary>Machines with real state folders, and vaults in real folders.</summary>
internal sealed class AgentFixture : IDisposable
{
    public const string Passphrase = "a passphrase for tests";
    public const string Other = "another one for tests";

    private readonly TempFolder _folder = new();

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A day ahead of the files, so that none of them has changed just now.</summary>
    public FakeClock Clock { get; init; } = new(TimeProvider.System.GetUtcNow().AddDays(1));

    public string Vault => _folder["vault"];

    public string State => StateOf("ALPHA");

    public string Key => Path.Combine(State, "scratch", KeyFile.Name);

    /// <summary>Stands between the agent and the vault; nothing by default.</summary>
    public Func<IVaultStore, IVaultStore> Decorate { get; set; } = static store => store;

    /// <summary>What machines are held to.</summary>
    public PolicyLimits Limits { get; set; } = PolicyLimits.Open;

    /// <summary>How each vault was reached the last time.</summary>
    public Dictionary<string, VaultConnection> Connections { get; } = [];

    /// <summary>What checks of health have to be told.</summary>
    public HealthContext Health { get; set; } = new();

    /// <summary>What checks of health take from the machine around them.</summary>
    public HealthParts HealthParts { get; set; } = HealthParts.OfMachine;

    /// <summary>What stands for a Key Vault; null: none is used.</summary>
    public IPassphraseSafe? Safe { get; set; }

    /// <summary>Whose passphrase the safe was opened for.</summary>
    public PassphraseOwner? Owner { get; private set; }

    /// <summary>The one key in Key Vault.</summary>
    public IKeyEncryptionKey? Wrapping { get; set; }

    public string this[params string[] names] => _folder[names];

    public string StateOf(string machine) => _folder["state", machine];

    /// <summary>The agent of a machine, opened anew as another process would.</summary>
    public BackupAgent Open(string machine = "ALPHA", string? state = null) => BackupAgent.Open(new AgentOptions
    {
        StateFolder = state ?? StateOf(machine),
        MachineName = machine,
        OpenVault = (location, connection) =>
        {
            Connections[location] = connection;
            return Decorate(new FolderVaultStore(FolderOf(location)));
        },
        CreateVault = (location, connection) =>
        {
            Connections[location] = connection;
            return FolderVaultStore.Create(FolderOf(location));
        },
        KeyVaults = Safe is null ? null : new KeyVaultAccess
        {
            OpenSafe = (_, owner, _) =>
            {
                Owner = owner;
                return Safe;
            },
            OpenKey = (_, _) => Wrapping!,
            DomainName = "example.org",
        },
        Limits = Limits,
        Health = Health,
        HealthParts = HealthParts,
        Engine = new VaultOptions { TimeProvider = Clock, KeyDerivationIterations = 10, Workers = 2 },
    });

    /// <summary>A new credential file, of a vault that is made if there is none.</summary>
    public async Task<string> IssueAsync(TimeSpan? validity = null, string? vault = null, string? secret = null)
    {
        BackupAgent agent = Open("ISSUER");
        vault ??= Vault;
        if (!Directory.Exists(FolderOf(vault)))
        {
            await agent.Ownership.CreateVaultAsync(vault, "Office", Cancel);
        }

        // No two files are issued in the same second.
        Clock.Advance(TimeSpan.FromSeconds(1));
        return (await agent.Ownership.IssueCredentialAsync(vault, Directory.CreateDirectory(_folder["files"]).FullName, validity, secret, owner: null, Cancel)).File;
    }

    public async Task<BackupAgent> RegisterAsync(string machine = "ALPHA", string? state = null)
    {
        BackupAgent agent = Open(machine, state);
        await agent.Machine.RegisterAsync(await IssueAsync(), Cancel);
        return agent;
    }

    /// <summary>A machine that is registered and has a passphrase.</summary>
    public async Task<BackupAgent> ActivateAsync(string machine = "ALPHA", string passphrase = Passphrase, string? state = null)
    {
        BackupAgent agent = await RegisterAsync(machine, state);
        await agent.Machine.Key.SetPassphraseAsync(passphrase, Cancel);
        return agent;
    }

    /// <summary>Backs up a folder with a file in it.</summary>
    public async Task<BackupResult> BackUpAsync(BackupAgent agent)
    {
        string source = _folder["source"];
        if (!Directory.Exists(source))
        {
            Directory.CreateDirectory(source);
            await File.WriteAllTextAsync(Path.Combine(source, "file"), "precious content", Cancel);
        }

        UnlockedVault engine = await agent.OpenEngineAsync(Cancel);
        var request = new BackupRequest { MachineName = agent.Machine.Registration!.MachineName, Sources = [new BackupSource.Tree(source, new SourceSelection())], MustBeRegistered = true };
        return await engine.BackUpAsync(request, new JobMonitor(), Cancel);
    }

    /// <summary>Puts a key slot into the place of another, as whoever may write to the vault can.</summary>
    public async Task PlantAsync(string file, Func<KeySlotIdentity, Task<KeySlot>> make)
    {
        VaultHeader header = await VaultHeader.ReadAsync(new FolderVaultStore(Vault), Cancel);
        var identity = new KeySlotIdentity(header.VaultId, StoreId.Parse(Path.GetFileName(Path.GetDirectoryName(file)!)), Path.GetFileName(file));
        await File.WriteAllBytesAsync(file, (await make(identity)).Encode(), Cancel);
    }

    public static async Task<BackupException> FailsAsync(BackupErrorId id, string? code, Func<Task> action)
    {
        BackupException fault = await Assert.ThrowsAsync<BackupException>(action);
        Assert.Equal((id, code), (fault.Id, fault.ErrorCode));
        return fault;
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Where a vault that is meant to be far away really lies.</summary>
    public string FolderOf(string location) =>
        location.Contains("://", StringComparison.Ordinal) ? _folder["remote", Path.GetFileName(location)] : location;
}
