using System.CommandLine;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>group create</c>.</summary>
internal sealed class GroupCreateCommand : HostCommand
{
    private readonly Argument<string> _name;
    private readonly Option<string[]> _machines;
    private readonly Option<string?> _policy;
    private readonly Option<string[]> _diskVaults;
    private readonly Option<string[]> _copyTo;
    private readonly CopyRetentionOptions _retention;
    private readonly PassphraseOptions _passphrase;
    private readonly Option<bool> _dryRun;
    private readonly AgentSelection _own;

    public GroupCreateCommand()
        : base(
            "create",
            "Make a protection group: machines that are backed up as one, by one policy, to one pool of disk vaults. It is kept in the vaults.",
            """
            obengine group create web --machine web1 --machine web2 --policy policy.json --disk-vault /pool/a --passphrase-file ~/.vault-passphrase
            obengine group create web --machine web1 --policy policy.json --disk-vault /pool/a --copy-to https://contoso.blob.core.windows.net/cloud --keep-days 90 --keep-years 5
            """)
    {
        _name = Required("GROUP", "What it is called: 1 to 64 characters.");
        _machines = Values("--machine", "HOST", "A machine on which 'obengine agent install' has put an agent.");
        _machines.Required = true;
        _policy = Value("--policy", "FILE", "What is backed up of each machine, when, and for how long it is kept on disk: a policy file, whose paths are paths there.");
        _policy.Required = true;
        _diskVaults = Values("--disk-vault", "DIR", "The folder of a disk vault, in the order in which they take machines; all places are twins of one vault.");
        _diskVaults.Required = true;
        _copyTo = Values("--copy-to", "PLACE", "Where recovery points are copied to: the folder or URL of a twin.");
        _retention = new CopyRetentionOptions(this);
        _passphrase = PassphraseOptions.ForOpening(this);
        _dryRun = Flag("--dry-run", "Say whether the group could be made, and change nothing.", "-n");
        _own = new AgentSelection(this, hasMachine: false);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        ProtectionGroups groups = _own.Open(context).Groups;
        var group = new ProtectionGroup
        {
            Name = context.Get(_name),
            Machines = groups.Describe(context.Get(_machines)),
            Policy = await GroupChanges.ReadPolicyAsync(context, context.Get(_policy)!).ConfigureAwait(false),
            DiskVaults = GroupChanges.Places(context.Get(_diskVaults)),
            CopyTo = GroupChanges.Places(context.Get(_copyTo)),
            CopyRetention = _retention.Read(context),
        };

        // Who has a key asks nobody, unless a passphrase was named.
        string? passphrase = !_passphrase.IsNamed(context) && await groups.HasKeyAsync(group.DiskVaults[0], context.Stop).ConfigureAwait(false)
            ? null
            : await _passphrase.ReadAsync(context).ConfigureAwait(false);
        GroupChange change = await groups.CreateAsync(group, passphrase, isRehearsal: context.Has(_dryRun), context.Stop).ConfigureAwait(false);
        return await GroupChanges.FinishAsync(context, "group create", groups, change, context.Has(_dryRun)).ConfigureAwait(false);
    }
}

/// <summary><c>group change</c>.</summary>
internal sealed class GroupChangeCommand : HostCommand
{
    private readonly Argument<string> _name;
    private readonly Option<string?> _newName;
    private readonly Option<string[]> _added;
    private readonly Option<string[]> _removed;
    private readonly Option<string?> _policy;
    private readonly Option<string[]> _diskVaults;
    private readonly Option<string[]> _copyTo;
    private readonly Option<bool> _noCopies;
    private readonly CopyRetentionOptions _retention;
    private readonly Option<bool> _keepAll;
    private readonly PassphraseOptions _passphrase;
    private readonly Option<bool> _dryRun;
    private readonly AgentSelection _own;

    public GroupChangeCommand()
        : base(
            "change",
            "Change a protection group: its machines, its policy, its places, or for how long copies are kept. What is not named stays as it is.",
            """
            obengine group change web --add-machine web3 --remove-machine web1
            obengine group change web --policy policy.json --disk-vault /pool/a --disk-vault /pool/b
            """)
    {
        _name = Required("GROUP", "The group.");
        _newName = Value("--new-name", "NAME", "What it is called from now on.");
        _added = Values("--add-machine", "HOST", "A machine that comes into it; of one that is in it already, how it is logged in to and the pinned key are taken anew.");
        _removed = Values("--remove-machine", "HOST", "A machine that leaves it; its recovery points stay.");
        _policy = Value("--policy", "FILE", "What is backed up, when, and for how long it is kept on disk, from now on: a policy file.");
        _diskVaults = Values("--disk-vault", "DIR", "The folder of a disk vault. Those that are named take the place of all that it had.");
        _copyTo = Values("--copy-to", "PLACE", "Where recovery points are copied to. Those that are named take the place of all that it had.");
        _noCopies = Flag("--no-copies", "Copy to nowhere from now on; the copies that are there stay.");
        _retention = new CopyRetentionOptions(this);
        _keepAll = Flag("--keep-all", "Let the copies keep what comes, in place of a retention of their own.");
        _passphrase = PassphraseOptions.ForOpening(this);
        _dryRun = Flag("--dry-run", "Say whether the group could be changed, and change nothing.", "-n");
        _own = new AgentSelection(this, hasMachine: false);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        RetentionPolicy? retention = _retention.Read(context);
        Check(context, retention);
        ProtectionGroups groups = _own.Open(context).Groups;
        BackupPolicy? policy = context.Get(_policy) is { } file ? await GroupChanges.ReadPolicyAsync(context, file).ConfigureAwait(false) : null;
        string[] diskVaults = GroupChanges.Places(context.Get(_diskVaults));
        string[] copyTo = GroupChanges.Places(context.Get(_copyTo));
        bool hasNoCopies = context.Has(_noCopies);

        // Groups are known by the keys that are kept for them: a passphrase is needed only where such a key opens its vault no more.
        string? passphrase = _passphrase.IsNamed(context) ? await _passphrase.ReadAsync(context).ConfigureAwait(false) : null;
        GroupChange change = await groups.ChangeAsync(
            context.Get(_name),
            group => group with
            {
                Name = context.Get(_newName) ?? group.Name,
                Machines = groups.Describe(group, context.Get(_added), context.Get(_removed)),
                Policy = policy ?? group.Policy,
                DiskVaults = diskVaults.Length > 0 ? diskVaults : group.DiskVaults,
                CopyTo = copyTo.Length > 0 || hasNoCopies ? copyTo : group.CopyTo,
                CopyRetention = retention ?? (hasNoCopies || context.Has(_keepAll) ? null : group.CopyRetention),
            },
            passphrase,
            isRehearsal: context.Has(_dryRun),
            context.Stop).ConfigureAwait(false);
        return await GroupChanges.FinishAsync(context, "group change", groups, change, context.Has(_dryRun)).ConfigureAwait(false);
    }

    private void Check(CommandContext context, RetentionPolicy? retention)
    {
        bool isCopied = context.Get(_copyTo).Count > 0;
        if (context.Has(_noCopies) && (isCopied || retention is not null))
        {
            throw context.Invalid($"--no-copies was given with {(isCopied ? "--copy-to" : "--keep-days")}.", "Give one of them.");
        }

        if (context.Has(_keepAll) && retention is not null)
        {
            throw context.Invalid("Both --keep-all and --keep-days were given.", "Give one of them.");
        }

        bool isChanged = retention is not null || isCopied || context.Has(_noCopies) || context.Has(_keepAll) || context.Get(_newName) is not null || context.Get(_policy) is not null
            || context.Get(_added).Count > 0 || context.Get(_removed).Count > 0 || context.Get(_diskVaults).Count > 0;
        if (!isChanged)
        {
            throw context.Invalid("Nothing was named that is to change.");
        }
    }
}

/// <summary><c>group remove</c>.</summary>
internal sealed class GroupRemoveCommand : HostCommand
{
    private readonly Argument<string> _name;
    private readonly Option<bool> _dryRun;
    private readonly AgentSelection _own;

    public GroupRemoveCommand()
        : base("remove", "Remove a protection group. Its recovery points stay, and so do the agents on its machines.", "obengine group remove web --dry-run")
    {
        _name = Required("GROUP", "The group.");
        _dryRun = Flag("--dry-run", "Say which group would be removed, and change nothing.", "-n");
        _own = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        ProtectionGroups groups = _own.Open(context).Groups;
        ProtectionGroup group = await groups.GetAsync(context.Get(_name), context.Stop).ConfigureAwait(false);
        if (context.Has(_dryRun))
        {
            return GroupChanges.Finish("group remove", group, [], isRehearsal: true, $"The protection group '{group.Name}' of {Quantity.Count(group.Machines.Count, "machine")} would be removed. Nothing was changed.");
        }

        IReadOnlyList<BackupException> problems = await groups.RemoveAsync(group.Name, context.Stop).ConfigureAwait(false);
        GroupChanges.Warn(context, problems);
        return GroupChanges.Finish("group remove", group, problems, isRehearsal: false, $"The protection group '{group.Name}' is removed. Its recovery points stay, and so do the agents on its machines.");
    }
}

/// <summary>What making and changing groups have in common.</summary>
internal static class GroupChanges
{
    /// <summary>Places as groups keep them.</summary>
    public static string[] Places(IEnumerable<string> places) => [.. places.Select(VaultLocation.Full)];

    /// <summary>Reads a policy file. The policy has no id: it is no machine's own.</summary>
    /// <exception cref="BackupException">ArgumentInvalid where the file cannot be read; PolicyFileInvalid.</exception>
    public static async Task<BackupPolicy> ReadPolicyAsync(CommandContext context, string file)
    {
        string json;
        try
        {
            json = await File.ReadAllTextAsync(file, context.Stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The policy file '{file}' cannot be read: {e.Message}",
                "Check the path after --policy, and that this account may read the file.",
                file,
                innerException: e);
        }

        return PolicyJson.Read(json, file) with { Id = null };
    }

    /// <summary>Says what came of making or changing a group.</summary>
    public static async Task<Outcome> FinishAsync(CommandContext context, string command, ProtectionGroups groups, GroupChange change, bool isRehearsal)
    {
        Warn(context, change.Problems);
        if (!isRehearsal)
        {
            await GroupListCommand.ShowAsync(context, groups, [change.Group]).ConfigureAwait(false);
        }

        ProtectionGroup group = change.Group;
        string size = $"{Quantity.Count(group.Machines.Count, "machine")}, {Quantity.Count(group.DiskVaults.Count, "disk vault")}, {Quantity.Count(group.CopyTo.Count, "place")} of copies";
        return Finish(command, group, change.Problems, isRehearsal, isRehearsal ? $"The protection group '{group.Name}' would have {size}. Nothing was changed." : $"The protection group '{group.Name}' has {size}.");
    }

    /// <summary>The end of a command that makes, changes or removes a group. A place that does not know of it yet is for somebody to look at.</summary>
    public static Outcome Finish(string command, ProtectionGroup group, IReadOnlyList<BackupException> problems, bool isRehearsal, string text) => new(
        new GroupSummary(command, group.Name, HasChanged: !isRehearsal, problems.Count) { ExitCode = (int)(problems.Count == 0 ? ExitCode.Success : ExitCode.CompletedWithSkips) }, text);

    /// <summary>Warns of places that do not know of a change yet.</summary>
    public static void Warn(CommandContext context, IReadOnlyList<BackupException> problems)
    {
        foreach (BackupException problem in problems)
        {
            context.Renderer.Warn(problem);
        }
    }
}
