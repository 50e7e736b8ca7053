using MSOnlineBackup.Engine.Tests.Copies;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public sealed class GroupRegisterTests
{
    private static readonly DateTimeOffset _time = new(2026, 11, 30, 20, 0, 0, 123, TimeSpan.Zero);

    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public async Task A_group_is_read_back_as_it_was_written_and_its_highest_number_counts()
    {
        GroupRegister register = await OpenRegisterAsync();
        GroupRecord group = Group("web") with
        {
            Machines =
            [
                new GroupMachineRecord { HostName = "m1" },
                new GroupMachineRecord
                {
                    HostName = "m2", UserName = "backup", Port = 2222, KeyFilePath = "/root/.ssh/id", HostKeyKind = "ssh-ed25519", HostKey = "AAAA", Platform = "linux-x64", AgentVersion = "0.1.0",
                    AgentBuild = "0.1.0-abc", Program = "/home/backup/obengine",
                },
            ],
            DiskVaults = ["/pool/a", "/pool/b"],
            CopyTo = ["https://x.blob.core.windows.net/cloud"],
            Policy = "{\n \"version\": 1 }",
            CopyRetention = "{}",
        };
        Assert.True(await register.TryWriteAsync(new NumberedGroup(1, Group("before") with { Id = group.Id }), Cancel));
        Assert.True(await register.TryWriteAsync(new NumberedGroup(2, group), Cancel));
        Assert.False(await register.TryWriteAsync(new NumberedGroup(2, Group("too late") with { Id = group.Id }), Cancel));
        Assert.True(await register.TryWriteAsync(new NumberedGroup(1, Group("Another")), Cancel));

        GroupListing listing = await register.ListAsync(Cancel);

        Assert.Empty(listing.Damage);
        Assert.Equal(["Another", "web"], listing.Groups.Select(found => found.Record.Name));
        Assert.Equal(2u, listing.Groups[1].Number);
        Assert.Equivalent(group, listing.Groups[1].Record, strict: true);
        Assert.DoesNotContain(_objects.Names, name => System.Text.Encoding.Latin1.GetString(_objects.GetContent(name)).Contains("pool", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_damaged_record_hides_no_other_and_of_its_own_group_the_one_before_it_is_shown()
    {
        GroupRegister register = await OpenRegisterAsync();
        GroupRecord web = Group("web");
        GroupRecord lost = Group("lost");
        await register.TryWriteAsync(new NumberedGroup(1, web), Cancel);
        await register.TryWriteAsync(new NumberedGroup(2, web with { Name = "later" }), Cancel);
        await register.TryWriteAsync(new NumberedGroup(1, lost), Cancel);
        await register.TryWriteAsync(new NumberedGroup(1, Group("whole")), Cancel);
        string[] struck = [VaultLayout.Group(Store, web.Id, 2), VaultLayout.Group(Store, lost.Id, 1)];
        Assert.All(struck, name => _objects.FlipBit(name, 60));

        GroupListing listing = await register.ListAsync(Cancel);

        Assert.Equal(["web", "whole"], listing.Groups.Select(found => found.Record.Name));
        Assert.Equal(struck.Order(), listing.Damage.Select(damage => damage.Target!).Order());
        Assert.All(listing.Damage, damage => Assert.Equal(BackupErrorId.VaultDataCorrupt, damage.Id));
    }

    [Fact]
    public async Task The_record_of_one_group_is_not_taken_for_that_of_another_nor_anything_else_for_a_record()
    {
        ChunkStore store = await OpenAsync(_objects);
        GroupRecord web = Group("web");
        string name = VaultLayout.Group(Store, new string('7', 32), 1);
        _objects.SetContent(name, SealedObject.Seal(store.Keys, SealedObjectKind.Group, name, GroupCodec.Encode(web)));
        string proof = VaultLayout.Group(Store, new string('8', 32), 1);
        _objects.SetContent(proof, SealedObject.Seal(store.Keys, SealedObjectKind.TrialProof, proof, GroupCodec.Encode(web with { Id = new string('8', 32) })));
        string moved = VaultLayout.Group(Store, web.Id, 3);
        string other = VaultLayout.Group(Store, web.Id, 4);
        _objects.SetContent(moved, SealedObject.Seal(store.Keys, SealedObjectKind.Group, other, GroupCodec.Encode(web)));

        GroupListing listing = await new GroupRegister(store).ListAsync(Cancel);

        Assert.Empty(listing.Groups);
        Assert.Equal(3, listing.Damage.Count);
    }

    [Theory]
    [InlineData("00000000", false)]
    [InlineData("00000001", true)]
    [InlineData("7ffffffe", true)]
    [InlineData("7fffffff", false)]
    [InlineData("1", false)]
    public void Only_numbers_that_count_make_a_name(string number, bool isOne)
    {
        string name = $"stores/{Store}/groups/{new string('a', 32)}-{number}";

        Assert.Equal(isOne, VaultLayout.KindOf(name, out _) == StoredKind.Group);
    }

    [Fact]
    public void What_could_not_be_read_back_is_not_written()
    {
        GroupRecord web = Group("web");
        GroupRecord[] faulty =
        [
            web with { Name = " " }, web with { Name = new string('x', 65) }, web with { Name = "a\nb" }, web with { Id = "web" }, web with { DiskVaults = [""] },
            web with { CopyTo = ["a\0b"] }, web with { Machines = [new GroupMachineRecord { HostName = "m", Port = 0 }] },
            web with { Machines = [new GroupMachineRecord { HostName = "m", HostKey = "AAAA\nm2 ssh-rsa BBBB" }] },
            web with { DiskVaults = [.. Enumerable.Range(0, 17).Select(number => $"/pool/{number}")] },
        ];

        Assert.All(faulty, group => Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => GroupCodec.Encode(group)).Id));
    }

    [Fact]
    public async Task A_copy_brings_groups_to_the_twin_each_once_and_a_key_that_was_rotated_there_keeps_none_out()
    {
        using var vaults = new TwinnedVault();
        await vaults.CreateAsync();
        await vaults.Source.BackUpAsync([1]);
        GroupRecord web = Group("web");
        using UnlockedVault source = await vaults.Source.Backups.OpenAsync();
        await source.TryWriteGroupAsync(new NumberedGroup(1, web), Cancel);
        await source.TryWriteGroupAsync(new NumberedGroup(2, web with { Name = "changed" }), Cancel);

        await vaults.CopyAsync(request: new VaultCopyRequest { IsRehearsal = true });
        Assert.Empty(TwinnedVault.Names(vaults.Twin, StoredKind.Group));
        await vaults.CopyAsync();

        using UnlockedVault twin = await vaults.Source.Backups.OpenAsync(vaults.Twin);
        Assert.Equal("changed", Assert.Single((await twin.ListGroupsAsync(Cancel)).Groups).Record.Name);
        Assert.Equal(2, TwinnedVault.Names(vaults.Twin, StoredKind.Group).Count);
        Assert.Equal(0, await source.BringGroupsAsync(twin, Cancel));

        // One that is damaged stops none of those behind it.
        await source.TryWriteGroupAsync(new NumberedGroup(3, web), Cancel);
        await source.TryWriteGroupAsync(new NumberedGroup(4, web with { Name = "last" }), Cancel);
        vaults.Source.Objects.FlipBit(TwinnedVault.Names(vaults.Source.Objects, StoredKind.Group)[2], 60);
        Assert.Equal(1, await source.BringGroupsAsync(twin, Cancel));
        Assert.Equal("last", Assert.Single((await twin.ListGroupsAsync(Cancel)).Groups).Record.Name);
    }

    [Fact]
    public async Task A_place_that_is_away_says_so_and_the_next_try_goes_on()
    {
        ChunkStore store = await OpenAsync(_objects);
        var faulty = new FaultyVaultStore(_objects) { Counts = (call, _) => call == VaultCall.Create, FailEvery = 1, Kind = FaultKind.Transient };
        GroupRecord web = Group("web");

        BackupException away = await Assert.ThrowsAsync<BackupException>(async () => await new GroupRegister(await OpenAsync(faulty)).TryWriteAsync(new NumberedGroup(1, web), Cancel));

        Assert.Equal(BackupErrorId.VaultUnreachable, away.Id);
        Assert.Empty((await new GroupRegister(store).ListAsync(Cancel)).Groups);
        Assert.True(await new GroupRegister(store).TryWriteAsync(new NumberedGroup(1, web), Cancel));
    }

    private static GroupRecord Group(string name) => new() { Id = IdDigits.Create(), Name = name, Changed = _time };

    private async Task<GroupRegister> OpenRegisterAsync() => new(await OpenAsync(_objects));
}
