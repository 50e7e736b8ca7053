using System.Globalization;
using System.Text;
using System.Xml;
using MSOnlineBackup.Mounts.Serving;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>Writes properties of items, a response for each, as RFC 4918 has them.</summary>
internal sealed class Multistatus(XmlWriter xml, PropertyRequest request)
{
    private const string Dav = "DAV:";

    private static readonly string[] _all = ["resourcetype", "displayname", "getcontentlength", "getcontenttype", "getetag", "getlastmodified", "creationdate"];

    // Asked for by name alone: RFC 4331 has them so.
    private static readonly string[] _quota = ["quota-available-bytes"];

    public void Begin()
    {
        xml.WriteStartDocument();
        xml.WriteStartElement("D", "multistatus", Dav);
    }

    public void End()
    {
        xml.WriteEndElement();
        xml.WriteEndDocument();
    }

    /// <summary>An item's properties.</summary>
    public void Write(string href, ServedItem item) => Write(href, name => ValueOf(item, name));

    /// <summary>Those of the mark of damage: a file that has to be read before anybody knows that it cannot be.</summary>
    public void WriteMark(string href) => Write(href, static name => name switch
    {
        "displayname" => DamageMark.Name,
        "resourcetype" => "",
        "getcontentlength" => "1",
        "getcontenttype" => "text/plain",
        _ => null,
    });

    /// <summary>That something went wrong with an item, after its properties.</summary>
    public void WriteError(string href, string text)
    {
        xml.WriteStartElement("response", Dav);
        xml.WriteElementString("href", Dav, href);
        xml.WriteElementString("status", Dav, "HTTP/1.1 500 Internal Server Error");
        xml.WriteElementString("responsedescription", Dav, Clean(text));
        xml.WriteEndElement();
    }

    private static string? ValueOf(ServedItem item, string name) => name switch
    {
        "resourcetype" => item.IsFolder ? "collection" : "",
        "displayname" => Clean(item.Name),
        "getcontentlength" when !item.IsFolder => item.Item.Entry.Size.ToString(CultureInfo.InvariantCulture),
        "getcontenttype" => item.IsFolder ? "httpd/unix-directory" : FileFacts.TypeOf(item.Name),
        "getetag" when !item.IsFolder => FileFacts.TagOf(item.Item),
        "getlastmodified" => FileFacts.ModifiedOf(item.Item) is { } time ? FileFacts.Show(time) : null,
        "creationdate" => item.Item.Entry.Metadata.Created?.ToDateTimeOffset() is { } time
            ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            : null,
        "quota-available-bytes" when item.IsFolder => "0",
        _ => null,
    };

    // XML has no way to write some characters, which names may have.
    private static string Clean(string text)
    {
        if (text.All(XmlConvert.IsXmlChar))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            clean.Append(rune.IsBmp && !XmlConvert.IsXmlChar((char)rune.Value) ? "\uFFFD" : rune.ToString());
        }

        return clean.ToString();
    }

    private void Write(string href, Func<string, string?> valueOf)
    {
        var found = new List<(string Name, string Value)>();
        var missing = new List<(string Namespace, string Name)>();
        foreach ((string space, string name) in request.Names ?? [.. _all.Select(name => (Dav, name))])
        {
            if (space == Dav && (_all.Contains(name) || _quota.Contains(name)) && valueOf(name) is { } value)
            {
                found.Add((name, value));
            }
            else if (request.Names is not null)
            {
                missing.Add((space, name));
            }
        }

        xml.WriteStartElement("response", Dav);
        xml.WriteElementString("href", Dav, href);
        if (found.Count > 0 || missing.Count == 0)
        {
            Begin();
            foreach ((string name, string value) in found)
            {
                WriteValue(name, request.HasValues ? value : "");
            }

            End("HTTP/1.1 200 OK");
        }

        if (missing.Count > 0)
        {
            Begin();
            foreach ((string space, string name) in missing)
            {
                xml.WriteStartElement(name, space);
                xml.WriteEndElement();
            }

            End("HTTP/1.1 404 Not Found");
        }

        xml.WriteEndElement();

        void Begin()
        {
            xml.WriteStartElement("propstat", Dav);
            xml.WriteStartElement("prop", Dav);
        }

        void End(string status)
        {
            xml.WriteEndElement();
            xml.WriteElementString("status", Dav, status);
            xml.WriteEndElement();
        }
    }

    private void WriteValue(string name, string value)
    {
        xml.WriteStartElement(name, Dav);
        if (name != "resourcetype")
        {
            xml.WriteString(value);
        }
        else if (value.Length > 0)
        {
            xml.WriteStartElement(value, Dav);
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }
}
