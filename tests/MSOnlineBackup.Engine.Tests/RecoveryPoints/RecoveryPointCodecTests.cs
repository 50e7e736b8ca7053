using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public class RecoveryPointCodecTests
{
    internal static RecoveryPoint Point => new()
    {
        SessionId = SessionId.Parse("0123456789abcdef0123456789abcdef"),
        MachineId = MachineId.Parse("fedcba9876543210fedcba9876543210"),
        MachineName = "büro",
        OperatingSystem = "Linux 6.18",
        AgentVersion = "0.1.0",
        Started = new DateTimeOffset(2026, 11, 21, 4, 5, 6, TimeSpan.Zero).AddTicks(1234567),
        Ended = new DateTimeOffset(2026, 11, 21, 5, 5, 6, TimeSpan.Zero),
        Status = RecoveryPointStatus.CompletedWithWarnings,
        ParentSessionId = SessionId.Parse("00000000000000000000000000000001"),
        Tags = ["a", "b"],
        Sources =
        [
            new RecoveryPointSource { Path = "/home", FileSystem = "ext4", IsMountPoint = true, Manifest = new ManifestRoot(Chunk(1), 2, 10, 5, 3, 1L << 40) },
            new RecoveryPointSource { Path = "dump.sql", Manifest = new ManifestRoot(Chunk(2), 0, 1, 1, 0, 0) },
        ],
        NewBytes = 1,
        StoredBytes = 2,
        SkippedCount = 3,
        SkippedItems = [Chunk(3)],
    };

    [Fact]
    public void A_point_round_trips()
    {
        RecoveryPoint decoded = RecoveryPointCodec.Decode(RecoveryPointCodec.Encode(Point), "points/x");

        Assert.Equivalent(Point, decoded, strict: true);
        Assert.Equal(Point.Sources, decoded.Sources);
        Assert.Equal(Point.SkippedItems, decoded.SkippedItems);
    }

    [Fact]
    public void Unknown_fields_are_passed_over()
    {
        string json =
            Encoding.UTF8.GetString(RecoveryPointCodec.Encode(Point)).Replace("{\"session\"", "{\"newer\":{\"x\":[1]},\"session\"", StringComparison.Ordinal);

        Assert.Equal(Point.SessionId, RecoveryPointCodec.Decode(Encoding.UTF8.GetBytes(json), "p").SessionId);
    }

    [Fact]
    public void A_status_of_a_later_version_is_shown_as_it_is()
    {
        string json =
            Encoding.UTF8.GetString(RecoveryPointCodec.Encode(Point)).Replace("CompletedWithWarnings", "CompletedInTwoVaults", StringComparison.Ordinal);

        RecoveryPoint point = RecoveryPointCodec.Decode(Encoding.UTF8.GetBytes(json), "p");

        Assert.Equal((RecoveryPointStatus.Other, "CompletedInTwoVaults"), (point.Status, point.StatusText));
        Assert.Equal(json, Encoding.UTF8.GetString(RecoveryPointCodec.Encode(point)));
    }

    [Fact]
    public void A_point_has_no_more_of_anything_than_it_may()
    {
        RecoveryPoint[] beyond =
        [
            Point with { Tags = [.. Enumerable.Repeat("t", RecoveryPointCodec.MaxTags + 1)] },
            Point with { Tags = [new string('t', RecoveryPointCodec.MaxTextLength + 1)] },
            Point with { MachineName = new string('m', RecoveryPointCodec.MaxTextLength + 1) },
            Point with { Sources = [.. Enumerable.Repeat(Point.Sources[1], RecoveryPointCodec.MaxSources + 1)] },
        ];

        Assert.All(beyond, point => Assert.Equal(
            BackupErrorId.VaultDataCorrupt,
            Assert.Throws<BackupException>(() => RecoveryPointCodec.Decode(RecoveryPointCodec.Encode(point), "p")).Id));
    }

    [Fact]
    public void A_point_that_no_reader_would_take_is_not_written()
    {
        RecoveryPoint point = Point with { Sources = [.. Enumerable.Repeat(Point.Sources[0] with { Path = "/" + new string('p', 4_000) }, 17_000)] };

        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => RecoveryPointCodec.Encode(point)).Id);
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(20, false)]
    public void Json_that_is_nested_deeper_than_it_may_is_refused(int depth, bool taken)
    {
        string nested = new string('[', depth) + new string(']', depth);
        byte[] json = Encoding.UTF8.GetBytes(
            Encoding.UTF8.GetString(RecoveryPointCodec.Encode(Point)).Replace("{\"session\"", $"{{\"newer\":{nested},\"session\"", StringComparison.Ordinal));

        if (taken)
        {
            Assert.Equal(Point.SessionId, RecoveryPointCodec.Decode(json, "p").SessionId);
        }
        else
        {
            Assert.Equal(BackupErrorId.VaultDataCorrupt, Assert.Throws<BackupException>(() => RecoveryPointCodec.Decode(json, "p")).Id);
        }
    }

    [Theory]
    [InlineData("\"session\":\"0123456789abcdef0123456789abcdef\"", "\"session\":\"0123456789ABCDEF0123456789abcdef\"")]
    [InlineData("\"session\":\"0123456789abcdef0123456789abcdef\",", "")]
    [InlineData("fedcba9876543210fedcba9876543210", "../../fedcba9876543210fedcba9876")]
    [InlineData("\"depth\":2", "\"depth\":17")]
    [InlineData("\"depth\":2", "\"depth\":-1")]
    [InlineData("\"entries\":10", "\"entries\":-10")]
    [InlineData("\"entries\":10", "\"entries\":1e99")]
    [InlineData("\"newBytes\":1", "\"newBytes\":-1")]
    [InlineData("\"/home\"", "\"/home/../etc\"")]
    [InlineData("\"/home\"", "\"\"")]
    [InlineData("\"/home\"", "null")]
    [InlineData("\"/home\"", "\"/a\\\\x00\"")]
    [InlineData("\"status\":\"CompletedWithWarnings\"", "\"status\":7")]
    [InlineData("\"form\":\"posix\"", "\"form\":\"vms\"")]
    [InlineData("\"form\":\"posix\",", "")]
    [InlineData("2026-11-21T05:05:06.0000000Z", "yesterday")]
    [InlineData("\"tags\":[\"a\",", "\"tags\":[null,")]
    [InlineData("}", "")]
    public void Anything_else_is_refused_and_named(string from, string to)
    {
        string json = Encoding.UTF8.GetString(RecoveryPointCodec.Encode(Point));
        Assert.Contains(from, json, StringComparison.Ordinal);

        BackupException fault = Assert.Throws<BackupException>(() =>
            RecoveryPointCodec.Decode(Encoding.UTF8.GetBytes(json.Replace(from, to, StringComparison.Ordinal)), "points/x/y"));

        Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
        Assert.Contains("points/x/y", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mutated_points_give_nothing_but_that_error()
    {
        byte[] json = RecoveryPointCodec.Encode(Point);
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            byte[] mutated = [.. json];
            mutated[random.Next(json.Length)] = (byte)random.Next(256);
            try
            {
                RecoveryPoint point = RecoveryPointCodec.Decode(mutated, "p");
                Assert.All(point.Sources, source => Assert.True(SourcePath.IsValid(source.Form, source.Path)));
            }
            catch (BackupException fault)
            {
                Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
            }
        }).QuickCheckThrowOnFailure();
    }
}
