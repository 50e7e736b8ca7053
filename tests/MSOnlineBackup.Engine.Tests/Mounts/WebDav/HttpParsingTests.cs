using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Tests.Fuzzing;
using MSOnlineBackup.Mounts.WebDav;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.WebDav;

/// <summary>Whatever a client says: a request, or a refusal; never another exception.</summary>
public sealed class HttpParsingTests
{
    private static readonly byte[][] _heads =
    [
        "GET /a/b%20c HTTP/1.1\r\nHost: 127.0.0.1:80\r\nRange: bytes=0-5\r\nIf-None-Match: \"x\""u8.ToArray(),
        "PROPFIND / HTTP/1.1\r\nHost: localhost\r\nDepth: 1\r\nContent-Length: 5\r\nAuthorization: Basic YTpi"u8.ToArray(),
        "PUT /x HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue"u8.ToArray(),
    ];

    [Fact]
    public void A_head_is_one_or_is_refused()
    {
        var mutator = new Mutator(new Random(20_261_130));
        for (int i = 0; i < Campaign.Rounds(usual: 20_000, full: 1_000_000, brief: 4000); i++)
        {
            byte[] input = mutator.Mutate(_heads[i % _heads.Length], _heads[(i + 1) % _heads.Length]);
            try
            {
                HttpHead head = HttpHead.Parse(input);
                Assert.True(head.ContentLength >= 0);
                Assert.False(head.IsChunked && head.ContentLength > 0);
                HttpRange.Parse(head.Get("Range"), 100);
                WebDavAccess.CheckHost(head);
                Assert.All(DavPath.Parse(head.Target).Names, AssertName);
            }
            catch (HttpRefusal e)
            {
                Assert.InRange(e.Status, 400, 599);
            }
        }
    }

    [Fact]
    public void A_body_of_properties_is_one_or_is_refused()
    {
        byte[] sound = Encoding.UTF8.GetBytes("""<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/><x xmlns="urn:y"/></D:prop></D:propfind>""");
        var mutator = new Mutator(new Random(20_261_130));
        for (int i = 0; i < Campaign.Rounds(usual: 5000, full: 300_000, brief: 1000); i++)
        {
            try
            {
                Assert.NotNull(PropertyRequest.Parse(mutator.Mutate(sound, sound)));
            }
            catch (HttpRefusal e)
            {
                Assert.Equal(400, e.Status);
            }
        }
    }

    [Fact]
    public void Every_name_is_found_again_by_its_place_in_an_address() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(1000),
        Prop.ForAll(
            ArbMap.Default.GeneratorFor<byte>().Where(b => b is not (0 or (byte)'/')).NonEmptyListOf().ToArbitrary(),
            name => name.All(b => b == '.') || DavPath.Parse("/" + DavPath.Encode([.. name])).Names.Single().AsSpan().SequenceEqual([.. name])));

    [Fact]
    public void A_range_is_always_within_the_file() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(5000),
        Prop.ForAll(
            (from first in Gen.OneOf(Gen.Constant(""), Gen.Choose(0, 20).Select(number => $"{number}"))
             from last in Gen.OneOf(Gen.Constant(""), Gen.Choose(0, 20).Select(number => $"{number}"))
             from size in Gen.Choose(0, 12)
             select (Header: $"bytes={first}-{last}", Size: size)).ToArbitrary(),
            asked => HttpRange.Parse(asked.Header, asked.Size) is not { } range || range.Length == 0 || (range.Start >= 0 && range.Start + range.Length <= asked.Size)));

    private static void AssertName(byte[] name)
    {
        Assert.NotEmpty(name);
        Assert.DoesNotContain((byte)'/', name);
        Assert.DoesNotContain((byte)0, name);
        Assert.False(name is [(byte)'.'] or [(byte)'.', (byte)'.']);
    }
}
