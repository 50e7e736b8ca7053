using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Policies;

/// <summary>What the kinds of policies protect.</summary>
public sealed class PolicyScopeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_kind_has_one_and_its_name_on_disk_never_changes()
    {
        Assert.Equal(Enum.GetValues<PolicyKind>(), PolicyScope.All.Select(scope => scope.Kind));
        Assert.Equal(["files", "system-state"], PolicyScope.All.Select(scope => scope.Key));
    }

    [Fact]
    public void A_backup_is_known_by_the_names_of_its_sources()
    {
        Assert.Equal(PolicyKind.SystemState, PolicyScope.OfSources(["System State"]).Kind);
        Assert.Equal(PolicyKind.Files, PolicyScope.OfSources(["/home", "/etc"]).Kind);
        Assert.Equal(PolicyKind.Files, PolicyScope.OfSources([]).Kind);
    }

    [Fact]
    public void What_is_not_there_is_named_and_exclusions_may_be_of_nothing()
    {
        string missing = _folder["missing"];
        BackupPolicy policy = SamplePolicy.Files with { Files = [new(_folder.Path), new(_folder["nothing"], Exclude: true)] };

        policy.RequireSources();
        BackupException failure = Assert.Throws<BackupException>((policy with { Files = [.. policy.Files, new(missing)] }).RequireSources);

        Assert.Equal((BackupErrorId.SourceNotFound, missing), (failure.Id, failure.Target));
    }

    [Fact]
    public void Of_a_policy_for_files_some_sources_are_a_part_and_all_are_not()
    {
        BackupPolicy policy = SamplePolicy.Files with { Files = [new("/a"), new("/b")] };
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Paths of other systems.");

        ResolvedSources all = PolicyScope.Of(PolicyKind.Files).Resolve(policy, [], _folder.Path);
        ResolvedSources some = PolicyScope.Of(PolicyKind.Files).Resolve(policy, ["/b"], _folder.Path);

        Assert.Equal([("/a", 1), ("/b", 1)], all.Names);
        Assert.Equal([("/b", 1)], some.Names);
        Assert.Equal((false, true), (all.IsPartial, some.IsPartial));
    }
}
