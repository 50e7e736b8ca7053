using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Verification;

public sealed class VerifyTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Theory]
    [InlineData(VerifyLevel.Structure)]
    [InlineData(VerifyLevel.Packs)]
    [InlineData(VerifyLevel.Data)]
    public async Task A_sound_vault_has_no_findings(VerifyLevel level)
    {
        await MakeAsync();

        VerifyReport report = await _backups.VerifyAsync(level);

        Assert.Empty(report.Findings);
        Assert.Equal((level, 1, 0L), (report.Level, report.Points, report.UnreferencedBytes));
        Assert.InRange(report.Objects, 4, 50);
        Assert.Equal(level != VerifyLevel.Structure, report.Bytes >= _backups.Packs.Sum(pack => (long)_backups.Objects.GetContent(pack).Length));
        Assert.Equal(level == VerifyLevel.Data, report.Chunks > 0);
    }

    // What each level must find of each damage to each kind of object.
    [Theory]
    [InlineData("data pack", "flip", false, true, true)]
    [InlineData("data pack", "version", false, true, true)]
    [InlineData("data pack", "checksum", false, true, true)]
    [InlineData("data pack", "last byte", false, true, true)]
    [InlineData("data pack", "truncate", true, true, true)]
    [InlineData("data pack", "empty", true, true, true)]
    [InlineData("data pack", "delete", true, false, true)]
    [InlineData("metadata pack", "flip", true, true, true)]
    [InlineData("metadata pack", "version", false, true, true)]
    [InlineData("metadata pack", "truncate", true, true, true)]
    [InlineData("metadata pack", "delete", true, false, true)]
    [InlineData("points", "flip", true, true, true)]
    [InlineData("points", "version", true, true, true)]
    [InlineData("points", "truncate", true, true, true)]
    [InlineData("points", "empty", true, true, true)]
    [InlineData("index", "flip", true, true, true)]
    [InlineData("index", "version", true, true, true)]
    [InlineData("index", "truncate", true, true, true)]
    public async Task Every_damage_is_found_by_the_levels_that_look_there(string kind, string damage, bool structure, bool packs, bool data)
    {
        await MakeAsync();
        string name = Find(kind);
        Damage(name, damage);

        foreach ((VerifyLevel level, bool finds) in ((VerifyLevel, bool)[])[(VerifyLevel.Structure, structure), (VerifyLevel.Packs, packs), (VerifyLevel.Data, data)])
        {
            VerifyReport report = await _backups.VerifyAsync(level);

            Assert.True(finds == report.Findings.Count > 0, $"{level}: {string.Join(", ", report.Findings.Select(finding => finding.Problem))}");
            if (finds)
            {
                Assert.Contains(report.Findings, finding => finding.Object == name || finding.Problem.Contains(name, StringComparison.Ordinal));
            }
        }
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("delete")]
    public async Task A_damaged_pack_names_the_files_that_need_it_and_no_others(string damage)
    {
        BackupResult result = await MakeAsync();
        (string pack, PackedChunk chunk) = await PackOfAsync(result.Point, "/data/large");
        if (damage == "flip")
        {
            _backups.Objects.FlipBit(pack, chunk.Offset);
        }
        else
        {
            _backups.Objects.Remove(pack);
        }

        VerifyReport report = await _backups.VerifyAsync();

        AffectedItem[] affected = [.. report.Findings.SelectMany(finding => finding.Affected).Distinct()];
        Assert.Contains(new AffectedItem(result.Point.SessionId, "/data", "/data/large"), affected);
        foreach (AffectedItem item in affected)
        {
            Assert.Equal(pack, (await PackOfAsync(result.Point, item.Path!)).Pack);
        }
    }

    [Fact]
    public async Task A_backup_that_reads_everything_stores_anew_what_a_damaged_pack_has_lost()
    {
        _backups.Tree.File("a", 100_000);
        BackupResult made = await _backups.BackUpAsync();
        byte[] content = await _backups.ReadAsync(made.Point, _backups.Root + "/a");
        string pack = _backups.Packs[0];
        _backups.Objects.FlipBit(pack, 1000);

        BackupResult damaged = await _backups.BackUpAsync(Request(_backups.Root) with { ReadEverything = true });
        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, damaged.Point.Status);
        Assert.Equal(content, await _backups.ReadAsync(damaged.Point, _backups.Root + "/a"));

        _backups.Objects.Remove(pack);
        Assert.Equal(content, await _backups.ReadAsync((await _backups.BackUpAsync()).Point, _backups.Root + "/a"));
    }

    [Fact]
    public async Task A_damaged_manifest_names_its_source()
    {
        BackupResult result = await MakeAsync();
        Damage(Find("metadata pack"), "delete");

        VerifyReport report = await _backups.VerifyAsync(VerifyLevel.Structure);

        Assert.Contains(report.Findings, finding => finding.Affected.Contains(new AffectedItem(result.Point.SessionId, "/data", null)));
    }

    [Fact]
    public async Task Two_packs_that_changed_places_are_found_though_their_checksums_are_right()
    {
        await MakeAsync();
        await _backups.BackUpAsync(Request("/other"));
        string[] packs = [.. _backups.Packs.Where(pack => KindOf(pack) == PackKind.Data)];
        (byte[] first, byte[] second) = (_backups.Objects.GetContent(packs[0]), _backups.Objects.GetContent(packs[1]));
        _backups.Objects.SetContent(packs[0], second);
        _backups.Objects.SetContent(packs[1], first);

        Assert.Empty((await _backups.VerifyAsync(VerifyLevel.Packs)).Findings);
        Assert.NotEmpty((await _backups.VerifyAsync(VerifyLevel.Data)).Findings);
    }

    [Fact]
    public async Task Checksums_are_verified_without_a_passphrase()
    {
        await MakeAsync();
        string[] keys = [.. _backups.Objects.Names.Where(name => name.StartsWith("keys/", StringComparison.Ordinal))];
        foreach (string key in keys)
        {
            _backups.Objects.Remove(key);
        }

        Assert.Empty((await Vault.VerifyPacksAsync(_backups.Objects, new JobMonitor(), Cancel)).Findings);
        string pack = _backups.Packs[0];
        _backups.Objects.FlipBit(pack, 1000);
        Assert.Equal(pack, Assert.Single((await Vault.VerifyPacksAsync(_backups.Objects, new JobMonitor(), Cancel)).Findings).Object);
    }

    [Fact]
    public async Task Packs_that_are_longer_than_a_read_are_verified_without_a_passphrase()
    {
        await MakeAsync();
        using var builder = new PackBuilder(TestKeys.Keys, PackKind.Data, new byte[10 << 20]);
        for (int i = 0; i < 3; i++)
        {
            byte[] content = TestKeys.Bytes(i, 3 << 20);
            builder.Append(default, ChunkKind.Content, ChunkEncoding.Raw, content.Length, content);
        }

        string pack = VaultLayout.Pack(TestKeys.StoreId, SessionId.Parse(new string('0', 32)), 1);
        _backups.Objects.SetContent(pack, builder.Finish(isFull: false).ToArray());

        Assert.Empty((await _backups.VerifyAsync(VerifyLevel.Packs)).Findings);
        foreach (int at in (int[])[100, 5 << 20, 9 << 20])
        {
            _backups.Objects.FlipBit(pack, at);
            Assert.Equal(pack, Assert.Single((await _backups.VerifyAsync(VerifyLevel.Packs)).Findings).Object);
            _backups.Objects.FlipBit(pack, at);
        }
    }

    [Theory]
    [InlineData(4, "version")]
    [InlineData(6, "critical flags")]
    [InlineData(7, "epoch")]
    public async Task A_header_that_was_altered_is_told_from_a_newer_version_s(int at, string what)
    {
        await MakeAsync();
        string pack = Find("data pack");
        _backups.Objects.Damage(pack, content => [.. content[..at], 3, .. content[(at + 1)..]]);
        foreach (VerifyLevel level in (VerifyLevel[])[VerifyLevel.Packs, VerifyLevel.Data])
        {
            Assert.True(Assert.Single((await _backups.VerifyAsync(level)).Findings).Object == pack, what);
        }

        // With the right checksum it is sound: what the index names of it opens all the same.
        _backups.Objects.Damage(pack, TestKeys.WithChecksum);
        foreach (VerifyLevel level in (VerifyLevel[])[VerifyLevel.Packs, VerifyLevel.Data])
        {
            Assert.Empty((await _backups.VerifyAsync(level)).Findings);
        }
    }

    [Fact]
    public async Task Without_a_checksum_byte_a_sealed_object_is_damaged_for_the_keyless_only()
    {
        await MakeAsync();
        string point = Assert.Single(_backups.Points);
        _backups.Objects.FlipBit(point, _backups.Objects.GetContent(point).Length - 1);

        Assert.Equal(point, Assert.Single((await _backups.VerifyAsync(VerifyLevel.Packs)).Findings).Object);
        Assert.Equal(1, (await _backups.VerifyAsync(VerifyLevel.Structure)).Points);
    }

    [Fact]
    public async Task A_damaged_copy_of_a_chunk_that_is_sound_elsewhere_harms_no_file()
    {
        BackupResult first = await MakeAsync();
        string[] before = [.. _backups.Packs];
        Dictionary<string, byte[]> contents = before.ToDictionary(pack => pack, _backups.Objects.GetContent);
        foreach (string pack in before)
        {
            _backups.Objects.Remove(pack);
        }

        await _backups.BackUpAsync(Request("/data"));
        foreach (string pack in before)
        {
            // The old packs come back, one of them damaged.
            _backups.Objects.SetContent(pack, contents[pack]);
        }

        Assert.Empty((await _backups.VerifyAsync()).Findings);
        (string damaged, _) = await PackOfAsync(first.Point, "/data/large");
        _backups.Objects.FlipBit(damaged, 1000);

        VerifyReport report = await _backups.VerifyAsync();

        Assert.Contains(report.Findings, finding => finding.Object == damaged);
        Assert.All(report.Findings, finding => Assert.Empty(finding.Affected));
    }

    [Fact]
    public async Task Without_an_index_everything_is_found_and_a_rebuild_brings_it_back_from_the_packs()
    {
        BackupResult result = await MakeAsync();
        long records = (await _backups.OpenStoreAsync()).Index.RecordCount;
        foreach (string segment in _backups.Objects.Names.Where(name => name.Contains("/index/", StringComparison.Ordinal)).ToList())
        {
            _backups.Objects.Remove(segment);
        }

        // Packs that points need are never called leftovers: that would invite their deletion.
        VerifyReport without = await _backups.VerifyAsync();
        Assert.Equal(0, without.UnreferencedBytes);
        VerifyFinding lost = Assert.Single(without.Findings);
        Assert.EndsWith("/index/", lost.Object, StringComparison.Ordinal);
        Assert.Contains($"{_backups.Packs.Count} packs", lost.Problem, StringComparison.Ordinal);

        IndexRebuildReport rebuilt = await (await _backups.OpenAsync()).RebuildIndexAsync(new JobMonitor(), Cancel);

        Assert.Equal((_backups.Packs.Count, records, 0), (rebuilt.Packs, rebuilt.Chunks, rebuilt.Damaged.Count));
        Assert.Equal(records, (await _backups.OpenStoreAsync()).Index.RecordCount);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
        Assert.Equal(TestKeys.Bytes(2, 3_000_000), await _backups.ReadAsync(result.Point, "/data/large"));
        Assert.Equal(0, (await (await _backups.OpenAsync()).RebuildIndexAsync(new JobMonitor(), Cancel)).Packs);
    }

    [Fact]
    public async Task A_rebuild_tells_the_packs_that_it_could_not_read()
    {
        await MakeAsync();
        foreach (string segment in _backups.Objects.Names.Where(name => name.Contains("/index/", StringComparison.Ordinal)).ToList())
        {
            _backups.Objects.Remove(segment);
        }

        string damaged = Find("data pack");
        _backups.Objects.Damage(damaged, content => content[..^1]);

        IndexRebuildReport rebuilt = await (await _backups.OpenAsync()).RebuildIndexAsync(new JobMonitor(), Cancel);

        Assert.Equal(damaged, Assert.Single(rebuilt.Damaged).Object);
        Assert.Equal(_backups.Packs.Count - 1, rebuilt.Packs);
    }

    [Fact]
    public async Task Files_of_strangers_beside_the_store_are_no_damage()
    {
        await MakeAsync();
        string index = Find("index");
        string[] strangers = ["readme.txt", "machines/desktop.ini", index[..(index.LastIndexOf('/') + 1)] + "desktop.ini", Find("points") + ".tmp"];
        Array.ForEach(strangers, name => _backups.Objects.SetContent(name, [1, 2, 3]));

        foreach (VerifyReport report in (VerifyReport[])[await _backups.VerifyAsync(VerifyLevel.Packs), await _backups.VerifyAsync()])
        {
            Assert.Empty(report.Findings);
            Assert.Equal(0, report.Leftovers);
            Assert.Equal(strangers.Order(StringComparer.Ordinal), report.Strangers.Order(StringComparer.Ordinal));
            Assert.Equal(strangers.Length, report.StrangerCount);
        }
    }

    [Fact]
    public async Task A_session_that_was_shut_out_is_no_recovery_point()
    {
        BackupResult result = await MakeAsync();
        ChunkStore store = await _backups.OpenStoreAsync();
        string fence = VaultLayout.Point(store.StoreId, result.Point.MachineId, SessionId.Parse(new string('e', 32)));
        _backups.Objects.SetContent(fence, SealedObject.Seal(store.Keys, SealedObjectKind.Fence, fence, []));

        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            VerifyReport report = await _backups.VerifyAsync(level);
            Assert.Equal((1, 0), (report.Points, report.Findings.Count));
        }

        Assert.Equal(1, (await TestVault.InspectAsync(_backups.Objects, Cancel)).Points);
        _backups.Objects.Remove(Assert.Single(_backups.Points, name => name != fence));
        Assert.Equal(0, (await TestVault.InspectAsync(_backups.Objects, Cancel)).Points);

        // Nor does it fix what may not change once there are points.
        VaultSettings changed = await TestVault.ChangeSettingsAsync(
            _backups.Objects, _backups.Owner.Key, settings => settings with { Redundancy = VaultRedundancy.GeoRedundant }, Cancel);
        Assert.Equal(VaultRedundancy.ZoneRedundant, (await TestVault.ChangeSettingsAsync(
            _backups.Objects, _backups.Owner.Key, settings => settings with { Redundancy = VaultRedundancy.ZoneRedundant }, Cancel)).Redundancy);
        Assert.Equal(VaultRedundancy.GeoRedundant, changed.Redundancy);
    }

    // Small plain objects too: what opens the vault, and what it knows of machines and sessions.
    [Theory]
    [InlineData("keys/")]
    [InlineData("machines/")]
    [InlineData("settings/")]
    [InlineData("credentials/")]
    [InlineData("/sessions/")]
    [InlineData("/checkpoints/")]
    public async Task Every_level_looks_at_every_kind_of_object(string kind)
    {
        await MakeAsync();
        await MakeOthersAsync();
        Assert.Empty((await _backups.VerifyAsync(VerifyLevel.Structure)).Findings);
        string name = _backups.Objects.Names.Last(each => each.Contains(kind, StringComparison.Ordinal));
        byte[] content = _backups.Objects.GetContent(name);
        foreach (byte[] damaged in (byte[][])[[], content[..^1], content[..(content.Length / 2)]])
        {
            _backups.Objects.SetContent(name, damaged);
            foreach (VerifyLevel level in (VerifyLevel[])[VerifyLevel.Packs, VerifyLevel.Structure])
            {
                VerifyReport report = await (await OpenAsync(kind, name, content)).VerifyAsync(level, new JobMonitor(), Cancel);

                Assert.Equal([name], report.Findings.Select(finding => finding.Object));
            }
        }
    }

    [Fact]
    public async Task A_machine_of_a_store_that_has_no_key_is_a_finding_of_every_level_and_no_other_machine_of_that_name()
    {
        BackupResult result = await MakeAsync();
        string name = _backups.Objects.Names.Last(each => each.StartsWith("machines/", StringComparison.Ordinal));
        byte[] content = _backups.Objects.GetContent(name);
        int store = content.AsSpan().IndexOf("\"store\":\""u8) + 9;
        content[store] = (byte)(content[store] == '0' ? '1' : '0');
        _backups.Objects.SetContent(name, content);

        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            Assert.Equal([name], (await _backups.VerifyAsync(level)).Findings.Select(finding => finding.Object));
        }

        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => MakeAsync());
        Assert.Equal((BackupErrorId.VaultDataCorrupt, result.Point.MachineId.ToString()), (failure.Id, failure.Target!.Split('/')[1]));
    }

    [Theory]
    [InlineData("data pack")]
    [InlineData("metadata pack")]
    [InlineData("index")]
    [InlineData("points")]
    [InlineData("sessions")]
    public async Task An_object_that_cannot_be_read_is_a_finding_and_the_rest_is_verified(string kind)
    {
        BackupResult result = await MakeAsync();
        string name = Find(kind);
        UnlockedVault engine = await _backups.OpenAsync(new UnreadableVaultStore(_backups.Objects, read => read == name));

        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            VerifyReport report = await engine.VerifyAsync(level, new JobMonitor(), Cancel);

            bool isSeen = !(kind == "data pack" && level == VerifyLevel.Structure);
            Assert.Equal(isSeen, report.Findings.Any(finding => finding.Object == name || finding.Problem.Contains(name, StringComparison.Ordinal)));
            if (kind == "data pack" && level == VerifyLevel.Data)
            {
                Assert.Contains(report.Findings, finding => finding.Affected.Any(item => item.PointId == result.Point.SessionId && item.Path is not null));
            }
        }
    }

    [Fact]
    public async Task What_could_not_be_read_at_first_stays_a_finding_though_it_can_be_read_again()
    {
        await MakeAsync();
        string name = Find("metadata pack");
        int failures = 2;
        UnlockedVault engine =
            await _backups.OpenAsync(new UnreadableVaultStore(_backups.Objects, read => read == name && Interlocked.Decrement(ref failures) >= 0));

        VerifyReport report = await engine.VerifyAsync(VerifyLevel.Structure, new JobMonitor(), Cancel);

        VerifyFinding finding = Assert.Single(report.Findings);
        Assert.Equal(name, finding.Object);
        Assert.Empty(finding.Affected);
    }

    [Fact]
    public async Task What_points_share_is_verified_once_and_a_damage_in_it_names_each_of_them()
    {
        FakeSourceTree source = new FakeSourceTree("/data").Folder("");
        for (int i = 0; i < 12_000; i++)
        {
            source.File($"f{i:00000}", TestKeys.Bytes(i, 20));
        }

        _backups.Fakes["/data"] = source;
        List<RecoveryPoint> points = [];
        for (int i = 0; i < 4; i++)
        {
            source.File($"f{i:00000}", TestKeys.Bytes(-1 - i, 30), state: 9 + i);
            points.Add((await _backups.BackUpAsync(Request("/data"))).Point);
        }

        VerifyReport report = await _backups.VerifyAsync(VerifyLevel.Structure);
        Assert.Empty(report.Findings);
        Assert.Equal((4, 4 * 12_001L), (report.Points, report.Entries));
        Assert.InRange(report.DistinctEntries, 12_001, report.Entries - 1);

        (string pack, PackedChunk chunk) = await PackOfAsync(points[0], "/data/f11999");
        _backups.Objects.FlipBit(pack, chunk.Offset);
        report = await _backups.VerifyAsync(VerifyLevel.Data);

        VerifyFinding finding = Assert.Single(report.Findings, finding => finding.Object == chunk.Id.ToString());
        Assert.Equal(VerifyFinding.MostAffected, finding.Affected.Count);

        _backups.Objects.FlipBit(pack, chunk.Offset);
        (pack, chunk) = await PackOfAsync(points[3], "/data/f00001");
        _backups.Objects.FlipBit(pack, chunk.Offset);
        report = await _backups.VerifyAsync(VerifyLevel.Data);
        finding = Assert.Single(report.Findings, finding => finding.Object == chunk.Id.ToString());
        Assert.Equal(
            points[1..].Select(point => new AffectedItem(point.SessionId, "/data", "/data/f00001")).OrderBy(item => item.PointId),
            finding.Affected.OrderBy(item => item.PointId));
    }

    [Fact]
    public async Task A_slice_that_reaches_beyond_its_chunk_is_a_finding()
    {
        await using RestoreFixture vault = await RestoreFixture.CreateAsync();
        vault.Folder("");
        await vault.FileAsync("good", "good");
        vault.AddFile("beyond", new byte[5], new EntryContent([new ContentSlice(await vault.StoreAsync([1, 2, 3]), 2, 5)], []));
        RecoveryPoint point = await vault.PointAsync();
        await vault.CommitAsync(point);

        VerifyReport report = await new StoreVerifier(await vault.OpenAsync(), new JobMonitor(), CollectionRecords.FindDamageAsync).RunAsync(VerifyLevel.Structure, Cancel);

        Assert.Equal([new AffectedItem(point.SessionId, "/src", "/src/beyond")], Assert.Single(report.Findings).Affected);
    }

    [Fact]
    public async Task Objects_of_other_chunk_stores_are_counted_and_not_called_damaged()
    {
        await MakeAsync();
        string other = $"stores/{new string('7', 32)}/";
        _backups.Objects.SetContent($"{other}packs/01/{new string('1', 32)}-00000001", [1, 2, 3]);

        VerifyReport report = await _backups.VerifyAsync();

        Assert.Empty(report.Findings);
        Assert.Equal(1, report.OtherStores);
    }

    // A job that was stopped after a checkpoint, then done; settings and a credential file.
    private async Task MakeOthersAsync()
    {
        await TestVault.ChangeSettingsAsync(_backups.Objects, _backups.Owner.Key, settings => settings with { MachineLimit = 7 }, Cancel);
        VaultHeader header = await VaultHeader.ReadAsync(_backups.Objects, Cancel);
        await new CredentialRegister(TestVault.Of(_backups.Objects, header, _backups.Clock))
            .IssueAsync(_backups.Owner.Key, "memory", "v", TimeSpan.FromHours(1), Cancel);
        ChunkStore store = await _backups.OpenStoreAsync();
        RecoveryPoint point = (await (await _backups.OpenAsync()).ListPointsAsync(null, Cancel))[0];
        string name = VaultLayout.Checkpoint(store.StoreId, point.SessionId, 1);
        byte[] content = RecoveryPointCodec.Encode(point with { Status = RecoveryPointStatus.InProgress });
        _backups.Objects.SetContent(name, SealedObject.Seal(store.Keys, SealedObjectKind.Checkpoint, name, content));
    }

    // The vault is opened before its only key slot is damaged.
    private async Task<UnlockedVault> OpenAsync(string kind, string name, byte[] whole)
    {
        if (kind != "keys/")
        {
            return await _backups.OpenAsync();
        }

        byte[] damaged = _backups.Objects.GetContent(name);
        _backups.Objects.SetContent(name, whole);
        UnlockedVault engine = await _backups.OpenAsync();
        _backups.Objects.SetContent(name, damaged);
        return engine;
    }

    private async Task<BackupResult> MakeAsync()
    {
        _backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", TestKeys.Bytes(1, 300_000)).File("large", TestKeys.Bytes(2, 3_000_000))
            .File("small", TestKeys.Bytes(3, 1000));
        _backups.Fakes["/other"] = new FakeSourceTree("/other").Folder("").File("a", TestKeys.Bytes(4, 300_000));
        return await _backups.BackUpAsync(Request("/data"));
    }

    private string Find(string kind)
    {
        if (kind.EndsWith(" pack", StringComparison.Ordinal))
        {
            foreach (string pack in _backups.Packs)
            {
                if (KindOf(pack) == (kind == "data pack" ? PackKind.Data : PackKind.Metadata))
                {
                    return pack;
                }
            }
        }

        return _backups.Objects.Names.First(name => name.Contains($"/{kind}/", StringComparison.Ordinal));
    }

    private PackKind KindOf(string pack) => PackReader.ReadHeader(pack, _backups.Objects.GetContent(pack), out _, out _);

    // The pack that holds the first byte of a file.
    private async Task<(string Pack, PackedChunk Chunk)> PackOfAsync(RecoveryPoint point, string path)
    {
        ChunkStore store = await _backups.OpenStoreAsync();
        ManifestEntry entry = (await _backups.EntriesAsync(point))[path];
        Assert.True(store.Index.TryFind(entry.Content.Slices[0].Chunk!.Value, out MSOnlineBackup.Vaults.Index.ChunkLocation location));
        return (store.NameOf(location.Pack), location.Chunk);
    }

    private void Damage(string name, string damage)
    {
        switch (damage)
        {
            case "flip":
                _backups.Objects.FlipBit(name, 60);
                break;
            case "version":
                _backups.Objects.FlipBit(name, 4);
                break;
            case "checksum":
                _backups.Objects.FlipBit(name, _backups.Objects.GetContent(name).Length - ObjectChecksum.Length);
                break;
            case "last byte":
                _backups.Objects.FlipBit(name, _backups.Objects.GetContent(name).Length - 1);
                break;
            case "truncate":
                _backups.Objects.Damage(name, content => content[..^1]);
                break;
            case "empty":
                _backups.Objects.SetContent(name, []);
                break;
            case "delete":
                _backups.Objects.Remove(name);
                break;
        }
    }
}
