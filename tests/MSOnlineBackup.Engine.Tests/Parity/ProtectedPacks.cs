using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Tests.Vaults;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Parity;
using MSOnlineBackup.Vaults.Stores;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Parity;

/// <summary>Packs of random bytes in a vault in memory, and a group of parity that covers them.</summary>
internal sealed class ProtectedPacks
{
    public static readonly SessionId Session = SessionId.Parse(new string('4', 32));
    public static readonly SessionId Keeper = SessionId.Parse(new string('5', 32));

    private readonly List<byte[]> _contents = [];
    private readonly List<BackupException> _damage = [];
    private ChunkStore _store = null!;
    private GroupWriter _writer = null!;

    public MemoryVaultStore Objects { get; } = new();

    public KnownGroup Group { get; set; } = null!;

    public IReadOnlyList<BackupException> Damage => _damage;

    public IReadOnlyList<byte[]> Contents => _contents;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Makes packs of these lengths and a group of them.</summary>
    public static async Task<ProtectedPacks> MakeAsync(IEnumerable<int> lengths, int percent = 5)
    {
        var made = new ProtectedPacks();
        made._store = await TestStores.OpenAsync(made.Objects);
        made._writer = new GroupWriter(made._store, Keeper, workers: 2, made._damage.Add);
        foreach (int length in lengths)
        {
            made.AddPack(length);
        }

        int[] all = [.. made._contents.Select(content => content.Length)];
        made.Group = Assert.IsType<KnownGroup>(await made.WriteAsync(
            new PlannedGroup(
                ParityGeometry.For(all.Max(), ParityGeometry.RowsFor(percent, all.Length)),
                [.. all.Index().Select(pack => made.Member(pack.Index, pack.Index))],
                null)));
        return made;
    }

    public Task<KnownGroup?> WriteAsync(PlannedGroup plan) => _writer.WriteAsync(plan, Cancel);

    public Task<bool> IsSoundAsync(KnownGroup group) => new ParityStore(_store).IsSoundAsync(group, Cancel);

    /// <summary>Another pack. Returns its place among all.</summary>
    public int AddPack(int length)
    {
        byte[] content = TestKeys.Bytes(_contents.Count + 1, length);
        ObjectChecksum.WriteTo(content);
        _contents.Add(content);
        Objects.SetContent(NameOf(_contents.Count - 1), content);
        return _contents.Count - 1;
    }

    public ParityMember Member(int slot, int pack) => new(slot, Session, (uint)pack, _contents[pack].Length);

    public static string NameOf(int pack) => VaultLayout.Pack(TestStores.Store, Session, (uint)pack);

    public string Shards => VaultLayout.ParityShards(TestStores.Store, Group.Session, Group.Number);

    /// <summary>Recovers a pack from the group.</summary>
    public Task<byte[]?> RecoverAsync(int pack) =>
        new PackRecovery(_store).RecoverAsync(Group, Group.Group.Members.Single(member => member.Number == pack), Cancel);

    public async Task AssertRecoversAsync(int pack, string because = "")
    {
        byte[]? recovered = await RecoverAsync(pack);
        Assert.True(recovered is not null && recovered.AsSpan().SequenceEqual(_contents[pack]), $"pack {pack} {because}");
    }

    /// <summary>Makes bytes of a pack other than they were.</summary>
    public void Spoil(int pack, int offset, int length) => Spoil(NameOf(pack), offset, length);

    public void Spoil(string name, int offset, int length) => Objects.Damage(name, content =>
    {
        foreach (ref byte b in content.AsSpan(offset, Math.Min(length, content.Length - offset)))
        {
            b = (byte)~b;
        }

        return content;
    });

    /// <summary>Makes a pack whole again.</summary>
    public void Mend(int pack) => Objects.SetContent(NameOf(pack), _contents[pack]);
}
