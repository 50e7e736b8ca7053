using System.Xml;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>Which properties a PROPFIND asks for.</summary>
/// <param name="Names">Their names; null for all that there are.</param>
/// <param name="HasValues">Whether their values are wanted, too.</param>
internal sealed record PropertyRequest(IReadOnlyList<(string Namespace, string Name)>? Names, bool HasValues)
{
    /// <summary>Most bytes of a request.</summary>
    public const int MaxLength = 64 << 10;

    private const int MaxNames = 200;
    private const string Dav = "DAV:";

    /// <summary>Reads a request's body. None asks for everything.</summary>
    /// <exception cref="HttpRefusal">It is not what a PROPFIND says.</exception>
    public static PropertyRequest Parse(byte[] body)
    {
        if (body.Length == 0)
        {
            return new PropertyRequest(null, true);
        }

        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxLength, IgnoreComments = true, IgnoreWhitespace = true,
        };
        try
        {
            using var xml = XmlReader.Create(new MemoryStream(body), settings);
            return xml.MoveToContent() == XmlNodeType.Element && xml.NamespaceURI == Dav && xml.LocalName == "propfind" ? Read(xml) : throw Refused();
        }
        catch (XmlException)
        {
            throw Refused();
        }
    }

    private static HttpRefusal Refused() => new(400, "The body is not a 'propfind' as RFC 4918 has it.");

    private static PropertyRequest Read(XmlReader xml)
    {
        PropertyRequest? request = null;
        List<(string, string)>? names = null;
        while (xml.Read())
        {
            if (xml.NodeType != XmlNodeType.Element)
            {
                continue;
            }

            if (xml.Depth == 1 && xml.NamespaceURI == Dav)
            {
                request ??= xml.LocalName switch
                {
                    "allprop" => new PropertyRequest(null, true),
                    "propname" => new PropertyRequest(null, false),
                    "prop" => new PropertyRequest(names = [], true),
                    _ => null,
                };
            }
            else if (xml.Depth == 2 && names is not null && request?.Names == names)
            {
                names.Add((xml.NamespaceURI, xml.LocalName));
                if (names.Count > MaxNames)
                {
                    throw new HttpRefusal(400, "The body asks for more properties than there are.");
                }
            }
        }

        return request ?? throw Refused();
    }
}
