<%@ Page Language="C#" MasterPageFile="~masterurl/default.master" Inherits="Microsoft.SharePoint.WebPartPages.WebPartPage" %>
<html xmlns:mso="urn:schemas-microsoft-com:office:office" xmlns:msdt="uuid:C2F41010-65B3-11d1-A29F-00AA00C14882"><head>
<!--[if gte mso 9]><SharePoint:CTFieldRefs runat=server Prefix="mso:" FieldList="FileLeafRef,CanvasContent1"><xml>
<mso:CustomDocumentProperties>
<mso:Editor msdt:dt="string">Åsa Sjöström</mso:Editor>
<mso:CanvasContent1 msdt:dt="string">&lt;div&gt;&lt;div data-sp-canvascontrol=&quot;&quot; data-sp-webpartdata=&quot;{&amp;quot;title&amp;quot;&amp;#58;&amp;quot;Kontaktlista&amp;quot;}&quot;&gt;&lt;/div&gt;&lt;p&gt;Ring G&amp;#246;ran &amp;Ouml;berg, 19850709-2388.&lt;/p&gt;&lt;/div&gt;</mso:CanvasContent1>
</mso:CustomDocumentProperties></xml></SharePoint:CTFieldRefs><![endif]-->
<title>Rutiner för hemtjänsten</title></head>
<body><script type="application/json">{"elev": "Märta Ek"}</script><iframe srcdoc="&lt;p&gt;I ramen&lt;/p&gt;"></iframe></body></html>
